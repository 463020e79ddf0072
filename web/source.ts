// A page that `python -m pyapp inspect` serves shows the sessions of that program. It comes with a mark in its HTML, and
// with a token in its address, which is taken out of the address at once and kept in memory alone.

const MARK = 'meta[name="source"][content="served"]';

/** What Python is told of where the sessions are: empty for this browser, else `served:` and the token. */
export function takeSource(): string {
  if (!document.querySelector(MARK)) return '';
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1] ?? '';
  if (token) history.replaceState(null, '', '#/');
  return `served:${token}`;
}

/** `?db=` before the `#` goes behind it, where all that names what is shown stands together. */
export function placeDatabase(): void {
  const address = new URL(location.href);
  const database = address.searchParams.get('db');
  if (database === null) return;
  address.searchParams.delete('db');
  const [path, query] = address.hash.slice(1).split('?');
  const fields = new URLSearchParams(query);
  if (!fields.has('db')) fields.set('db', database);
  address.hash = `${path || '/'}?${fields}`;
  history.replaceState(history.state, '', address);
}

/** The file that `?src=` names; the address is then without it, so that a reload does not ask again. */
export function takeNamedFile(): string | undefined {
  const address = new URL(location.href);
  const file = address.searchParams.get('src');
  if (file === null) return undefined;
  address.searchParams.delete('src');
  history.replaceState(history.state, '', address);
  return file;
}
