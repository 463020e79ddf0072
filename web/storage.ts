// What only a window can do for the store: remember a little outside of it, ask the browser to keep it, and save files.
import type { FromPython, Message } from './protocol';

type Send = (message: Message) => void;
type Piece = Extract<FromPython, { type: 'download' }>;

const PREFIX = 'sandbox-agent-pyodide:';

/** What `remember` has kept for this site, by name. Empty where the browser allows no storage. */
export function remembered(): Record<string, string> {
  const kept: Record<string, string> = {};
  try {
    for (let place = 0; place < localStorage.length; place += 1) {
      const key = localStorage.key(place);
      if (key?.startsWith(PREFIX)) kept[key.slice(PREFIX.length)] = localStorage.getItem(key) ?? '';
    }
  } catch {
    // Forbidden or broken: then nothing was kept.
  }
  return kept;
}

/** Keep a short text in a place that is not the database's: it tells when the database has lost something. */
export function remember(name: string, text: string): void {
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // Forbidden or full: the page works without.
  }
}

/** Ask the browser to keep what is stored. It may ask the user, who may never answer: nothing waits for it. */
export function askToKeep(send: Send): void {
  void tellStorage(send);
  navigator.storage?.persist?.().then(
    () => tellStorage(send),
    () => {},
  );
}

/** Tell Python how much is stored, how much may be, and whether it is kept: what of it the browser says. */
export async function tellStorage(send: Send): Promise<void> {
  const [estimate, kept] = await Promise.all([
    navigator.storage?.estimate?.().catch(() => undefined),
    navigator.storage?.persisted?.().catch(() => undefined),
  ]);
  send({ name: 'storage', usage: estimate?.usage, quota: estimate?.quota, kept });
}

/** Files that come from Python in pieces, and are saved with the last one. */
export class Downloads {
  #pieces: Blob[] = [];

  take({ name, text, data, first, last }: Piece): void {
    if (first) this.#pieces = []; // what an export that was cancelled has left
    this.#pieces.push(new Blob([data ?? text ?? ''])); // the browser may keep it on the disk
    if (!last) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(this.#pieces));
    this.#pieces = [];
    link.download = name;
    link.click();
    // The browser reads the blob after this task; a minute is ample.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}
