// The snapshot as it was unpacked the last time: to read it again takes a part of the time that unpacking takes. Nearly
// half of it is empty pages, which are left out: the kept form is a head of 32-bit numbers, how many runs of pages
// there are and the first and last page of each, then the runs, and at the end the SHA-256 of all that.
import boot from 'virtual:boot';

const CACHE = 'sandbox-agent-pyodide-unpacked';
const PAGE = 4096;
const DIGEST = 32;

/** The kept snapshot, if this browser has it. */
export async function keptSnapshot(base: string): Promise<Response | undefined> {
  try {
    return await (await caches.open(CACHE)).match(address(base));
  } catch {
    return undefined; // no cache storage here, or none that works
  }
}

/** Fills `memory` with a kept snapshot. Raises an Error, with nothing filled, when it is damaged. */
export async function readKept(response: Response, memory: Uint8Array): Promise<void> {
  const kept = await response.arrayBuffer();
  const end = kept.byteLength - DIGEST;
  const sum = end > 0 ? await digest(new Uint8Array(kept, 0, end)) : new Uint8Array();
  const told = new Uint8Array(kept, Math.max(end, 0));
  if (sum.length !== DIGEST || sum.some((byte, at) => byte !== told[at]))
    throw new Error('the kept snapshot is damaged');
  const [count = 0] = new Uint32Array(kept, 0, 1);
  const head = new Uint32Array(kept, 4, 2 * count);
  let from = 4 + head.byteLength;
  for (let run = 0; run < count; run += 1) {
    const start = (head[2 * run] ?? 0) * PAGE;
    const length = Math.min((head[2 * run + 1] ?? 0) * PAGE, memory.length) - start;
    memory.set(new Uint8Array(kept, from, length), start);
    from += length;
  }
}

/** Keeps it for the next start, in place of an older one of this page. Without room the next start unpacks again. */
export async function keep(base: string, memory: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await forget(base);
    const runs = runsOf(memory);
    const head = new Uint32Array([runs.length, ...runs.flat()]);
    const parts = runs.map(([first, last]) => memory.subarray(first * PAGE, last * PAGE));
    const content = await new Blob([head, ...parts]).arrayBuffer();
    const kept = new Blob([content, await digest(new Uint8Array(content))]);
    await (await caches.open(CACHE)).put(address(base), new Response(kept));
  } catch {
    // It is an acceleration, no more.
  }
}

/** The next start takes the snapshot that the page comes with. */
export async function forget(base: string): Promise<void> {
  try {
    const cache = await caches.open(CACHE);
    for (const { url } of await cache.keys()) if (url.startsWith(base)) await cache.delete(url);
  } catch {
    // Nothing can be kept here.
  }
}

/** Where Cache Storage is, SHA-256 is too. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** The pages that are not empty, as (first, behind the last). */
function runsOf(memory: Uint8Array<ArrayBuffer>): [number, number][] {
  const runs: [number, number][] = [];
  for (let page = 0; page * PAGE < memory.length; page += 1) {
    const end = Math.min((page + 1) * PAGE, memory.length);
    const words = new BigUint64Array(memory.buffer, page * PAGE, (end - page * PAGE) >> 3);
    if (words.length * 8 === end - page * PAGE && words.every((word) => word === 0n)) continue;
    const last = runs.at(-1);
    if (last?.[1] === page) last[1] += 1;
    else runs.push([page, page + 1]);
  }
  return runs;
}

function address(base: string): string {
  return new URL(boot.snapshot.file, base).href;
}
