// The fast way: Python's memory as the build left it, with the app imported. Nothing is installed.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Way } from './start';

type Config = NonNullable<Parameters<Way['loadPyodide']>[0]>;

export async function fromSnapshot({ at, mark, ...pyodide }: Way): Promise<PyodideAPI> {
  const memory = await unpacked(await fetch(at(boot.snapshot.file)));
  mark('Snapshot fetched and unpacked');
  const config = {
    indexURL: at(boot.pyodide),
    createPyodideModule: pyodide.createPyodideModule,
    lockFileContents: { info: boot.snapshot.info, packages: {} }, // there is nothing more to install
    _loadSnapshot: memory,
  };
  const py = await pyodide.loadPyodide(config as unknown as Config);
  mark('Python restored');
  return py;
}

/** The snapshot, unpacked while it arrives. Raises an Error when it is not the one that the build has made. */
async function unpacked(response: Response): Promise<Uint8Array> {
  const { memory: length, sha256 } = boot.snapshot;
  const packed: Uint8Array<ArrayBuffer>[] = [];
  const keep = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      packed.push(chunk);
      controller.enqueue(chunk);
    },
  });
  const memory = new Uint8Array(length);
  let filled = 0;
  const body = response.body as ReadableStream<Uint8Array<ArrayBuffer>>;
  const stream = body.pipeThrough(keep).pipeThrough(new DecompressionStream('gzip'));
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    memory.set(value, filled); // throws when there is more than there should be
    filled += value.length;
  }
  if (filled !== length) throw new Error(`the snapshot has ${filled} bytes, not ${length}`);
  if ((await digest(packed)) !== sha256) throw new Error('the snapshot is not the one of this page');
  return memory;
}

async function digest(chunks: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const bytes = await new Blob(chunks).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return btoa(String.fromCharCode(...hash));
}
