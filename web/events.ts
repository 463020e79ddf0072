// What the user does, as messages. One listener on the document for each kind of event; the views say by
// attributes (data-click, data-change, …) what it means.
import type { Focus } from './focus';
import { fieldOf, wantedKey } from './keys';
import type { Outbox } from './outbox';

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

export class Events {
  readonly #outbox: Outbox;
  readonly #focus: Focus;
  readonly #sendFiles: (action: string, files: File[]) => void;
  /** The control under a pressed pointer: its value is the user's until it is let go. */
  #pressed: Element | null = null;

  constructor(outbox: Outbox, focus: Focus, sendFiles: (action: string, files: File[]) => void) {
    this.#outbox = outbox;
    this.#focus = focus;
    this.#sendFiles = sendFiles;
    this.#listen();
    this.#listenForDrops();
  }

  /** Does the user's own value of this control count more than what Python last painted? */
  isHeld(control: Element): boolean {
    return control === this.#pressed || this.#outbox.isWaiting(control);
  }

  #listen(): void {
    const on = <K extends keyof DocumentEventMap>(kind: K, listener: (event: DocumentEventMap[K]) => void) =>
      document.addEventListener(kind, listener);
    on('click', (event) => this.#click(event));
    on('change', (event) => this.#change(event));
    on('input', (event) => this.#input(event));
    on('submit', (event) => this.#submit(event));
    on('keydown', (event) => this.#key(event));
    document.addEventListener('cancel', (event) => this.#cancel(event), true); // it does not bubble

    const release = () => {
      this.#pressed = null;
    };
    on('pointerdown', (event) => {
      this.#pressed =
        event.target instanceof Element ? event.target.closest('input[type=range], select') : null;
    });
    on('pointerup', release);
    on('pointercancel', release);
    window.addEventListener('blur', release);
  }

  #click(event: MouseEvent): void {
    this.#toggle(event);
    if (moveFocus(event)) return;
    const element = closest(event, '[data-click]');
    if (!element || element.getAttribute('aria-disabled') === 'true') return;
    if (element.matches('a[href]')) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window
      event.preventDefault();
    }
    if ('opens' in element.dataset) this.#focus.expect();
    this.#say(element, 'click');
  }

  /** A click on a summary, also by key. The toggle event would not tell the user's hand from a patch's. */
  #toggle(event: MouseEvent): void {
    const summary = closest(event, 'summary, a, button, input');
    const details = summary?.parentElement;
    if (!summary?.matches('summary') || !(details instanceof HTMLDetailsElement)) return;
    this.#say(details, 'toggle', { open: !details.open });
  }

  #change(event: Event): void {
    const control = event.target as Control;
    if (control instanceof HTMLInputElement && control.type === 'file') {
      if (control.dataset.files === undefined || !control.files?.length) return;
      this.#sendFiles(control.dataset.files, [...control.files]);
      control.value = ''; // so that the same file can be chosen again
    } else if (control.dataset?.change !== undefined) {
      this.#say(control, 'change', { value: valueOf(control) });
    } else if (control.form?.dataset.changed !== undefined) {
      this.#say(control.form, 'changed', { values: valuesOf(control.form) });
    }
  }

  #input(event: Event): void {
    const control = event.target as Control;
    const name = control.dataset?.input;
    if (name === undefined) return;
    this.#outbox.latest(control, { name, ...argOf(control), value: valueOf(control) });
  }

  #submit(event: SubmitEvent): void {
    const form = closest(event, 'form');
    event.preventDefault(); // no form of ours goes to a server
    if (!(form instanceof HTMLFormElement) || form.dataset.submit === undefined) return;
    this.#say(form, 'submit', { values: valuesOf(form) });
    if (form.dataset.clears !== undefined) clear(form);
  }

  #cancel(event: Event): void {
    const dialog = event.target;
    if (!(dialog instanceof HTMLDialogElement) || dialog.dataset.cancel === undefined) return;
    event.preventDefault(); // Python takes it away
    this.#say(dialog, 'cancel');
  }

  #key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && event.target instanceof HTMLTextAreaElement)
      this.#enter(event, event.target);
    if (event.key === 'Escape' && event.target instanceof HTMLInputElement && event.target.type === 'search')
      this.#leaveSearch(event, event.target);
    const key = wantedKey(event);
    if (key === undefined) return;
    event.preventDefault();
    if (key === 'Escape') this.#focus.giveUp();
    if (this.#focus.isExpected() || this.#focusField(key)) return;
    this.#outbox.post({ name: 'key', key, shift: event.shiftKey });
  }

  /** A key that means a field gives it the focus here and now. Python has to bring a field that is out of sight. */
  #focusField(key: string): boolean {
    const field = fieldOf(key);
    field?.focus();
    if (!field || field === document.activeElement) return field !== null;
    this.#focus.expect();
    return false;
  }

  /**
   * Enter presses the button that sends the form of a field that says so; with Shift, or while a word is being composed,
   * it does not. WebKit ends a composition before the key that ends it, which it marks with 229
   * (https://www.w3.org/TR/uievents/#determine-keydown-keyup-keyCode).
   */
  #enter(event: KeyboardEvent, field: HTMLTextAreaElement): void {
    if (field.dataset.enter !== 'submit' || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    field.form?.querySelector<HTMLButtonElement>('button[type=submit]')?.click(); // one that is disabled stays so
  }

  /** Escape empties a search field, in every browser; an empty one gives the focus away. */
  #leaveSearch(event: KeyboardEvent, field: HTMLInputElement): void {
    if (event.isComposing) return;
    event.preventDefault();
    if (field.value === '') return field.blur();
    field.value = '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  #listenForDrops(): void {
    const root = document.documentElement;
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      root.dataset.dropping = 'true';
    };
    document.addEventListener('dragenter', over);
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) delete root.dataset.dropping; // left the window
    });
    document.addEventListener('drop', (event) => {
      delete root.dataset.dropping;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      this.#sendFiles('import', files);
    });
  }

  #say(element: HTMLElement, attribute: string, more: Record<string, unknown> = {}): void {
    const name = element.dataset[attribute];
    if (name) this.#outbox.post({ name, ...argOf(element), ...more });
  }
}

function closest(event: Event, selector: string): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>(selector) : null;
}

/** A link that leads to a part of the page gives it the focus; the address, which names what is shown, stays. */
function moveFocus(event: MouseEvent): boolean {
  const id = closest(event, '[data-focus]')?.dataset.focus;
  if (id === undefined) return false;
  event.preventDefault();
  document.getElementById(id)?.focus();
  return true;
}

function argOf(element: HTMLElement): { arg?: string } {
  const { arg } = element.dataset;
  return arg === undefined ? {} : { arg };
}

function valuesOf(form: HTMLFormElement): Record<string, string> {
  const texts = [...new FormData(form)].filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

/** Empty its text fields: what stood there was sent. */
function clear(form: HTMLFormElement): void {
  for (const field of form.querySelectorAll('textarea')) field.value = '';
}

function valueOf(control: Control): string {
  const isSwitch = control instanceof HTMLInputElement && control.type === 'checkbox';
  return isSwitch ? String(control.checked) : control.value;
}
