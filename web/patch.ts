// Python's HTML into the page: the only module that does it. Elements are matched by id and changed in place,
// so that focus, selection, scroll positions and what is being dragged or typed survive.
import { Idiomorph } from 'idiomorph';
import { place, placeOne, unplace } from './place';
import type { Attributes, Child, Patch } from './protocol';
import { rememberScroll } from './scroll';
import { parse } from './trusted';

const TEXT = 'input:not([type=range], [type=checkbox], [type=radio], [type=button], [type=submit]), textarea';

/** The element that had the focus when a modal dialog opened. */
const openers = new WeakMap<Element, Element | null>();

/** Apply a patch at once. `isHeld` tells whether the user's own value of a control counts more than Python's. */
export function applyPatch(patch: Patch, isHeld: (control: Element) => boolean): void {
  setAttributes(document.documentElement, patch.root ?? {});
  if (patch.title !== undefined && document.title !== patch.title) document.title = patch.title;
  const regions = Object.entries(patch.regions ?? {});
  const attributes = Object.entries(patch.attrs ?? {});
  if (regions.length === 0 && attributes.length === 0) return;

  const restoreScroll = rememberScroll();
  const dialogs = document.querySelectorAll('dialog[data-modal]');
  const focused = document.activeElement?.closest('dialog[data-modal]');
  const changed: Element[] = [];
  for (const [id, content] of regions) {
    const region = find(id);
    if (typeof content === 'string') {
      morph(region, [...parse(content).childNodes], 'innerHTML', isHeld);
      changed.push(region);
    } else {
      changed.push(...morphChildren(region, content, isHeld));
    }
  }
  for (const [id, values] of attributes) {
    const element = find(id);
    setAttributes(element, values);
    placeOne(element);
  }
  for (const region of changed) place(region);
  showDialogs(dialogs);
  if (focused?.isConnected) keepFocusIn(focused);
  restoreScroll();
}

function find(id: string): Element {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element "${id}".`);
  return element;
}

/** The children in this order: kept, changed in place, or new; the others go. Gives those that changed. */
function morphChildren(region: Element, children: Child[], isHeld: (control: Element) => boolean): Element[] {
  const existing = new Map([...region.children].map((child) => [child.id, child]));
  const wanted = new Set(children.map(([id]) => id));
  for (const [id, child] of existing) if (!wanted.has(id)) child.remove();

  const changed: Element[] = [];
  let next = region.firstElementChild;
  for (const [id, html] of children) {
    let child = existing.get(id);
    const fresh = html === undefined ? undefined : parse(html).firstElementChild;
    if (child && fresh) morph(child, fresh, 'outerHTML', isHeld);
    else child ??= fresh ?? undefined;
    if (!child) throw new Error(`The page has no child "${id}" in "${region.id}".`);
    if (fresh) changed.push(child);
    if (child === next) next = next.nextElementSibling;
    else region.insertBefore(child, next);
  }
  return changed;
}

function morph(
  target: Element,
  content: Node | Node[],
  morphStyle: 'innerHTML' | 'outerHTML',
  isHeld: (control: Element) => boolean,
): void {
  Idiomorph.morph(target, content as Element, {
    morphStyle,
    restoreFocus: true,
    callbacks: {
      beforeAttributeUpdated(name, element, update) {
        if (name === 'style') return false; // written by place.ts and scroll.ts, never by Python
        if (name === 'value' || name === 'selected' || name === 'checked')
          return !keepsValue(element, isHeld);
        if (name === 'open') return !keepsOpen(element);
        if (update === 'remove') unplace(element, name);
        return true;
      },
    },
  });
}

/** The user drags it, has just changed it, or types into it. */
function keepsValue(element: Element, isHeld: (control: Element) => boolean): boolean {
  const control = element.closest('select') ?? element;
  if (isHeld(control)) return true;
  return control === document.activeElement && control.matches(TEXT);
}

/** Whether it is open is not in Python's hands: a dialog shown here, or details of which Python hears nothing. */
function keepsOpen(element: Element): boolean {
  return element.matches('dialog[data-modal], details:not([data-toggle])');
}

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

/** What had the focus in a dialog is gone, such as a button that did its work: it goes to where the dialog begins. */
function keepFocusIn(dialog: Element): void {
  if (document.activeElement === document.body)
    dialog.querySelector<HTMLElement>('[autofocus], input, button')?.focus();
}

/** `<dialog data-modal>` is shown as soon as it is there; when it is gone, the focus returns to where it was. */
function showDialogs(before: NodeListOf<Element>): void {
  for (const dialog of before) {
    const opener = openers.get(dialog);
    const isLost = document.activeElement === document.body || document.activeElement === null;
    if (!dialog.isConnected && isLost && opener instanceof HTMLElement && opener.isConnected) opener.focus();
  }
  for (const dialog of document.querySelectorAll<HTMLDialogElement>('dialog[data-modal]:not([open])')) {
    openers.set(dialog, document.activeElement);
    dialog.showModal();
  }
}
