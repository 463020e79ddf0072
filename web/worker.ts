// The worker: starts Python, then passes messages in both directions.
// Python's side is pyapp/worker.py. Only JSON text and files cross into it.
import type { BootFailure, FromPython, FromWorker, Start, ToWorker } from './protocol';
import known from 'virtual:boot';
import { answer, toData } from './rpc';
import { LoadError } from './start/loading';
import { start as startPython } from './start/start';
import { refuseOtherVersions } from './same-version';

/** What pyapp.worker.start gives. */
interface App {
  dispatch(text: string): unknown;
  take_files(action: string, files: File[]): unknown;
  call(text: string): Promise<string>;
}

type How = Extract<ToWorker, { type: 'start' }>;

interface Booted {
  app: App;
  version: string;
  start: Start;
}

// Pyodide asks which kind of worker this is by trying it. It always throws in a module worker, but where Trusted Types
// are demanded Firefox tells the user of the attempt.
Object.defineProperty(globalThis, 'importScripts', {
  value: () => {
    throw new TypeError('A module worker has no importScripts.');
  },
});

let started: (how: How) => void;
const booted = new Promise<How>((resolve) => (started = resolve)).then(boot);
let isCompiled: (module: WebAssembly.Module | undefined) => void;
const compiled = new Promise<WebAssembly.Module | undefined>((resolve) => (isCompiled = resolve));

booted.then(
  ({ version, start }) => post({ type: 'ready', version, start }),
  (error) => post({ type: 'failed', failure: describe(error) }),
);

self.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'start') return started(data);
  if (data.type === 'compiled') return isCompiled(data.module);
  let app: App;
  try {
    ({ app } = await booted);
  } catch {
    return; // it was reported, once
  }
  if (data.type === 'call') {
    const { id, text } = data;
    post(await answer(id, () => finished(app.call(text))));
    return;
  }
  try {
    if (data.type === 'files') await finished(app.take_files(data.action, data.files));
    else await finished(app.dispatch(JSON.stringify(data.message)));
  } catch (error) {
    console.error(error);
    post({ type: 'error', error: toData(error) });
  }
});

post({ type: 'listening' });

async function boot({ base, plain, compiling, source }: How): Promise<Booted> {
  refuseOtherVersions(known.hashes, base);
  const { py, start, afterwards } = await startPython(
    { base, plain, compiled: compiling ? compiled : undefined },
    {
      progress: (loaded, total) => post({ type: 'progress', loaded, total }),
      step: (text) => post({ type: 'step', text }),
    },
  );
  const began = performance.now();
  post({ type: 'step', text: 'Opening the store' });
  const version = py.runPython('import pyapp; pyapp.__version__') as string;
  const app = (await py.pyimport('pyapp.worker').start(postText, base, source)) as App;
  start.steps.push(['App started', performance.now() - began]);
  setTimeout(afterwards, 1000); // once the page has shown what is stored
  return { app, version, start };
}

/** Python's messages come as JSON text. Parsed here, so that the page need not. Bytes that belong to one are handed on. */
function postText(text: string, data?: Uint8Array<ArrayBuffer>): void {
  const message = JSON.parse(text) as FromPython;
  if (data) self.postMessage({ ...message, data }, { transfer: [data.buffer] });
  else post(message);
}

function post(message: FromWorker): void {
  self.postMessage(message);
}

/** Wait for what Python gave back, if it is awaitable, and let go of it. */
async function finished<T>(result: T | Promise<T>): Promise<T> {
  try {
    return await result;
  } finally {
    (result as { destroy?: () => void } | undefined)?.destroy?.();
  }
}

function describe(error: unknown): BootFailure {
  const { name, message } = toData(error);
  if (error instanceof LoadError) return { kind: 'fetch', text: message };
  // A module that Pyodide itself imports and that cannot be had is a TypeError of the browser.
  if (/dynamically imported module|Importing a module/.test(message))
    return { kind: 'fetch', text: `${message}.` };
  console.error(error);
  return { kind: 'python', text: `Python could not start: ${name}: ${message}` };
}
