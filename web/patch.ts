// Python's HTML into the page: the only module that does it. Elements are matched by id and changed in place,
// so that focus, selection, scroll positions and what is being dragged or typed survive.
import { Idiomorph } from 'idiomorph';
import { place, unplace } from './place';
import type { Patch } from './protocol';
import { rememberScroll } from './scroll';
import { parse } from './trusted';

const TEXT = 'input:not([type=range], [type=checkbox], [type=radio], [type=button], [type=submit]), textarea';

/** The element that had the focus when a modal dialog opened. */
const openers = new WeakMap<Element, Element | null>();

/** Apply a patch at once. `isHeld` tells whether the user's own value of a control counts more than Python's. */
export function applyPatch(patch: Patch, isHeld: (control: Element) => boolean): void {
  setRoot(patch.root ?? {});
  if (patch.title !== undefined && document.title !== patch.title) document.title = patch.title;
  const regions = Object.entries(patch.regions ?? {});
  if (regions.length === 0) return;

  const restoreScroll = rememberScroll();
  const dialogs = document.querySelectorAll('dialog[data-modal]');
  const changed: Element[] = [];
  for (const [id, html] of regions) {
    const region = document.getElementById(id);
    if (!region) throw new Error(`The page has no region "${id}".`);
    morph(region, html, isHeld);
    changed.push(region);
  }
  for (const region of changed) place(region);
  showDialogs(dialogs);
  restoreScroll();
}

function morph(region: Element, html: string, isHeld: (control: Element) => boolean): void {
  Idiomorph.morph(region, [...parse(html).childNodes], {
    morphStyle: 'innerHTML',
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

function setRoot(attributes: Record<string, string | null>): void {
  const root = document.documentElement;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) root.removeAttribute(name);
    else if (root.getAttribute(name) !== value) root.setAttribute(name, value);
  }
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
