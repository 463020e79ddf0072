// Pages of sorted lists. A cursor holds the key of the last item of its page, not an offset: what is written between
// two pages neither repeats nor skips an item.
import { integer, Refusal } from './rows.js';

export type Key = [number, string];

export interface PageRequest {
  cursor?: string | null;
  limit?: number | null;
}

export interface Page<Item> {
  items: Item[];
  nextCursor?: string;
}

const USUAL_LIMIT = 100;

export function page<Item>(
  kind: string,
  sorted: Item[],
  keyOf: (item: Item) => Key,
  request: PageRequest,
): Page<Item> {
  const most = request.limit == null ? USUAL_LIMIT : integer(request.limit, 'limit', 1);
  const start = request.cursor == null ? 0 : place(sorted, keyOf, readCursor(kind, request.cursor), true);
  const items = sorted.slice(start, start + most);
  const last = items.at(-1);
  const more = last !== undefined && start + most < sorted.length;
  return more ? { items, nextCursor: `${kind}:${JSON.stringify(keyOf(last))}` } : { items };
}

/** How many items have a smaller key, or one that is not larger with `including`. */
export function place<Item>(
  sorted: Item[],
  keyOf: (item: Item) => Key,
  key: Key,
  including: boolean,
): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compare(keyOf(sorted[middle]!), key);
    if (order < 0 || (including && order === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function compare(a: Key, b: Key): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : Number(a[1] > b[1]));
}

function readCursor(kind: string, cursor: string): Key {
  try {
    const prefix = `${kind}:`;
    const key: unknown = JSON.parse(cursor.startsWith(prefix) ? cursor.slice(prefix.length) : '');
    if (Array.isArray(key) && typeof key[0] === 'number' && typeof key[1] === 'string')
      return [key[0], key[1]];
  } catch {
    // said below
  }
  throw new Refusal('invalid_cursor', `not a cursor of a list of ${kind}`);
}
