// Which parts the page has: guessed before Python runs, so that nothing jumps when it does, and then by what it shows.

type Layout = 'empty' | 'list' | 'session';

/** What each view of Python's (html[data-view]) looks like; "opening" leaves the page as it is. */
const LAYOUTS: Record<string, Layout> = {
  empty: 'empty',
  start: 'list',
  problem: 'list',
  session: 'session',
};

/** Lay the page out as it will most likely be. `remembered` is what the page keeps outside of the database. */
export function expectLayout(hash: string, remembered: Record<string, string>): void {
  const [path = '', query] = hash.replace(/^#/, '').split('?');
  const database = new URLSearchParams(query).get('db') ?? '';
  const held = /^\[(\d+),/.exec(remembered[`mark:${database}`] ?? '');
  set(path.startsWith('/sessions/') ? 'session' : Number(held?.[1] ?? 0) > 0 ? 'list' : 'empty');
}

/** Lay the page out for what it shows. */
export function followLayout(): void {
  const layout = LAYOUTS[document.documentElement.dataset.view ?? ''];
  if (layout) set(layout);
}

function set(layout: Layout): void {
  document.documentElement.dataset.layout = layout;
}
