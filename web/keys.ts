// Which key presses are Python's: those that <html data-keys> lists, when no control has its own use for them.

const TYPING = 'input, textarea, select, [contenteditable]:not([contenteditable=false])';
const NO_TEXT =
  '[type=range], [type=checkbox], [type=radio], [type=button], [type=submit], [type=reset], [type=file]';
const PRESSABLE =
  'button, a[href], summary, [type=checkbox], [type=radio], [type=button], [type=submit], [type=file]';
const COMPOSITES =
  '[role=listbox], [role=tree], [role=grid], [role=menu], [role=tablist], [role=radiogroup], [type=radio], [type=range]';
const MOVES = ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight', 'Home', 'End', 'PageUp', 'PageDown'];
const VERTICAL = ['ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown'];

/** The name of the key if this press is Python's, else undefined. */
export function wantedKey(event: KeyboardEvent): string | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented)
    return undefined;
  const key = event.code === 'Space' ? 'Space' : event.key;
  const wanted = document.documentElement.dataset.keys?.split(' ') ?? [];
  if (!wanted.includes(key)) return undefined;
  if (document.querySelector('dialog:modal')) return undefined;
  return event.target instanceof Element && isTaken(event.target, key) ? undefined : key;
}

/** The field that this key leads to, if there is one. */
export function fieldOf(key: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

function isTaken(target: Element, key: string): boolean {
  if (target.matches(TYPING) && !target.matches(NO_TEXT)) return true;
  if (key === 'Enter' && target.closest(PRESSABLE)) return true;
  // A link does nothing on Space; what is marked so is pressed by Enter alone.
  const pressed = target.closest(PRESSABLE);
  if (key === 'Space' && pressed && !pressed.matches('a[href], [data-passes~=Space]')) return true;
  if (MOVES.includes(key) && target.closest(COMPOSITES)) return true;
  const scrolls = target !== document.body && target.scrollHeight > target.clientHeight + 1;
  return VERTICAL.includes(key) && scrolls && getComputedStyle(target).overflowY !== 'visible';
}
