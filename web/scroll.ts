// Where scroll containers stand after a patch. By attribute of the container, the first that applies:
//   data-scroll-top="N|end" data-scroll-key="K"   go there, once for each K
//   data-stick="end"                              stay at the end, if it was there
//   data-anchor                                   keep the first visible element that has an id in its place
// All positions are read before the page changes and written after it, so that layout runs twice, not per element.

interface Standing {
  atEnd: boolean;
  anchors: { element: Element; id: string; offset: number }[];
}

const CONTAINERS = '[data-scroll-top], [data-stick], [data-anchor]';

/** Elements that may go away in a patch; more than these never go at once without a change of data-scroll-key. */
const MOST_ANCHORS = 40;

const appliedKeys = new WeakMap<Element, string>();

/** Where containers stand that are at their end. An image may load later and make them longer; they stay there. */
const ended = new WeakMap<Element, number>();

document.addEventListener(
  'load',
  ({ target }) => {
    const container = target instanceof Element ? target.closest<HTMLElement>('[data-stick=end]') : null;
    if (container && ended.has(container)) container.scrollTop = container.scrollHeight;
  },
  true, // load does not bubble
);
/** A container that is made shorter, by a field below it that grows, keeps its end in sight. */
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) if (ended.has(target)) target.scrollTop = target.scrollHeight;
});

document.addEventListener('scroll', ({ target }) => target instanceof HTMLElement && note(target), {
  capture: true,
  passive: true,
});

/** Remember whether a container stands at its end. Only who scrolls up leaves it; what grows below does not. */
function note(container: HTMLElement): void {
  const { scrollTop } = container;
  if (container.scrollHeight - scrollTop - container.clientHeight <= 2) ended.set(container, scrollTop);
  else if (scrollTop < (ended.get(container) ?? 0) - 2) ended.delete(container);
}

/** Read every position. Gives the function that restores them after the change. */
export function rememberScroll(): () => void {
  const before = new Map<Element, Standing>();
  for (const container of document.querySelectorAll<HTMLElement>(CONTAINERS)) {
    before.set(container, {
      atEnd: container.scrollHeight - container.scrollTop - container.clientHeight <= 2,
      anchors: 'anchor' in container.dataset ? findAnchors(container) : [],
    });
  }
  return () => {
    for (const container of document.querySelectorAll<HTMLElement>(CONTAINERS)) {
      container.style.overflowAnchor = 'none'; // or the browser corrects a second time
      if (container.dataset.stick === 'end') sizes.observe(container); // does nothing for one that it observes
      restore(container, before.get(container));
      note(container);
    }
  };
}

function restore(container: HTMLElement, standing: Standing | undefined): void {
  const { scrollTop, scrollKey = '', stick } = container.dataset;
  if (scrollTop !== undefined && appliedKeys.get(container) !== scrollKey) {
    appliedKeys.set(container, scrollKey);
    container.scrollTop = scrollTop === 'end' ? container.scrollHeight : Number(scrollTop);
    return;
  }
  if (!standing) return;
  if (stick === 'end' && standing.atEnd) {
    container.scrollTop = container.scrollHeight;
    return;
  }
  const anchor = standing.anchors.find(({ element, id }) => element.id === id && container.contains(element));
  if (!anchor) return;
  const moved = offsetIn(container, anchor.element) - anchor.offset;
  if (Math.abs(moved) >= 0.5) container.scrollTop += moved;
}

/**
 * The visible elements with an id, best first. As browsers do for their own scroll anchoring
 * (https://drafts.csswg.org/css-scroll-anchoring/): of one that begins above the edge, rather a part in view.
 */
function findAnchors(container: HTMLElement): Standing['anchors'] {
  const found: Standing['anchors'] = [];
  const box = container.getBoundingClientRect();
  for (const element of container.querySelectorAll('[id]')) {
    const { top, bottom, height } = element.getBoundingClientRect();
    if (height === 0 || bottom <= box.top) continue;
    if (top >= box.bottom || found.length === MOST_ANCHORS) break;
    const last = found.at(-1);
    if (last && last.offset < 0 && last.element.contains(element)) found.pop();
    found.push({ element, id: element.id, offset: top - box.top });
  }
  return found;
}

function offsetIn(container: Element, element: Element): number {
  return element.getBoundingClientRect().top - container.getBoundingClientRect().top;
}
