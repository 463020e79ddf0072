// The fast way: Python's memory as the build left it, with the app imported. Nothing is installed.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Options, Way } from './way';

/**
 * Python, restored from `memory`, which need not be filled yet: all that Pyodide does before it looks at the content
 * is done meanwhile.
 */
export async function fromSnapshot(
  { at, mark, pyodide }: Way,
  memory: Uint8Array,
  filled: Promise<void>,
): Promise<PyodideAPI> {
  filled.catch(() => {}); // it is awaited below, or something else has failed before
  const { loadPyodide, createPyodideModule } = await pyodide;
  const options = {
    indexURL: at(boot.pyodide),
    createPyodideModule: async (...settings: never[]) => {
      const module = await createPyodideModule(...settings);
      mark('Python loaded');
      // It begins with 30 MB, and Pyodide copies the snapshot into what is there.
      if (module.HEAP8.length < memory.length) module.growMemory(memory.length);
      await filled;
      mark('Snapshot there');
      return module;
    },
    lockFileContents: { info: boot.snapshot.info, packages: {} }, // there is nothing more to install
    _loadSnapshot: memory,
  };
  const py = await loadPyodide(options as unknown as Options);
  mark('Python restored');
  return py;
}

/** Unpacks a snapshot while it arrives. Raises an Error when it is not the one that the build has made. */
export async function unpack(response: Response, memory: Uint8Array): Promise<void> {
  const packed: Uint8Array<ArrayBuffer>[] = [];
  const keep = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      packed.push(chunk);
      controller.enqueue(chunk);
    },
  });
  const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>>;
  const stream = body.pipeThrough(keep).pipeThrough(new DecompressionStream('gzip'));
  let filled = 0;
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    memory.set(value, filled); // throws when there is more than there should be
    filled += value.length;
  }
  if (filled !== memory.length) throw new Error(`the snapshot has ${filled} bytes, not ${memory.length}`);
  // Without a secure context there is no SHA-256: then the checksum in the file and the hash in its name must do.
  if (globalThis.isSecureContext && (await digest(packed)) !== boot.snapshot.sha256)
    throw new Error('the snapshot is not the one of this page');
}

async function digest(chunks: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const bytes = await new Blob(chunks).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return btoa(String.fromCharCode(...hash));
}
