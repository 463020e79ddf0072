// Sizes and places that Python computes, as data-top, data-height, data-left and data-width: set through the
// CSSOM, since a strict content security policy forbids style attributes. Plain numbers are pixels.

const SIDES = ['top', 'height', 'left', 'width'] as const;
const PLACED = SIDES.map((side) => `[data-${side}]`).join();

/** Set every size in a region, and its own, that differs from what is set. */
export function place(region: Element): void {
  placeOne(region);
  for (const element of region.querySelectorAll(PLACED)) placeOne(element);
}

/** Set the sizes of one element. */
export function placeOne(element: Element): void {
  if (!(element instanceof HTMLElement || element instanceof SVGElement)) return;
  for (const side of SIDES) {
    const value = element.dataset[side];
    if (value === undefined) continue;
    const size = /^-?\d+(\.\d+)?$/.test(value) ? `${value}px` : value;
    if (element.style[side] !== size) element.style[side] = size;
  }
}

/** An attribute goes away: so does the size that it set. */
export function unplace(element: Element, attribute: string): void {
  const side = SIDES.find((name) => attribute === `data-${name}`);
  if (side && (element instanceof HTMLElement || element instanceof SVGElement)) element.style[side] = '';
}
