// What Python must know of what is visible: how far a list is scrolled (data-scroll="list") and which
// elements have come into view (data-see="name"). Called after every patch, to watch what is new.
import type { Outbox } from './outbox';

export class Watcher {
  readonly #outbox: Outbox;
  readonly #reported = new WeakMap<Element, string>();
  readonly #seen = new Map<Element, string>();
  readonly #lists = new Set<Element>();
  readonly #due = new Set<HTMLElement>();
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) if (target instanceof HTMLElement) this.#report(target);
  });
  readonly #sights = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#see(target);
  });

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
    document.addEventListener('scroll', (event) => this.#scrolled(event.target), {
      capture: true, // a scroll does not bubble
      passive: true,
    });
  }

  /** Watch what is new, forget what is gone. */
  refresh(): void {
    for (const list of this.#lists) if (!list.isConnected) this.#forgetList(list);
    for (const list of document.querySelectorAll('[data-scroll]')) {
      if (this.#lists.has(list)) continue;
      this.#lists.add(list);
      this.#sizes.observe(list); // reports at once, as the standard says, and after each change of size
    }
    for (const element of this.#seen.keys()) {
      if (element.isConnected && element.hasAttribute('data-see')) continue;
      this.#sights.unobserve(element);
      this.#seen.delete(element);
    }
    for (const element of document.querySelectorAll<HTMLElement>('[data-see]')) {
      const wanted = `${element.dataset.see} ${element.dataset.arg ?? ''}`;
      if (this.#seen.get(element) === wanted) continue;
      this.#seen.set(element, wanted);
      this.#sights.unobserve(element); // so that one which stays in view is reported again
      this.#sights.observe(element);
    }
  }

  #scrolled(target: EventTarget | null): void {
    if (!(target instanceof HTMLElement) || target.dataset.scroll === undefined) return;
    if (this.#due.size === 0) {
      requestAnimationFrame(() => {
        const lists = [...this.#due];
        this.#due.clear();
        for (const list of lists) this.#report(list);
      });
    }
    this.#due.add(target);
  }

  #report(list: HTMLElement): void {
    const name = list.dataset.scroll;
    if (name === undefined || !list.isConnected) return;
    const message = { list: name, top: Math.round(list.scrollTop), height: Math.round(list.clientHeight) };
    const text = JSON.stringify(message);
    if (this.#reported.get(list) === text) return;
    this.#reported.set(list, text);
    this.#outbox.latest(list, { name: 'scroll', ...message });
  }

  #see(element: Element): void {
    if (!(element instanceof HTMLElement) || element.dataset.see === undefined) return;
    const { see, arg } = element.dataset;
    this.#outbox.post(arg === undefined ? { name: see } : { name: see, arg });
  }

  #forgetList(list: Element): void {
    this.#sizes.unobserve(list);
    this.#lists.delete(list);
  }
}
