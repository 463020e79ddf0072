// The worker: loads Pyodide, installs the wheels, starts Python, then passes messages in both directions.
// Python's side is pyapp/worker.py. Only JSON text and files cross into it.
import type { PyodideAPI } from 'pyodide';
import { countLoading, LoadError } from './loading';
import type { BootFailure, FromPython, FromWorker, ToWorker } from './protocol';
import { answer, toData } from './rpc';
import { refuseOtherVersions } from './same-version';

/** What pyapp.worker.start gives. */
interface App {
  dispatch(text: string): unknown;
  take_files(action: string, files: File[]): unknown;
  call(text: string): Promise<string>;
}

interface Booted {
  app: App;
  version: string;
}

type Start = Extract<ToWorker, { type: 'start' }>;

/** What boot.json holds: see web/build/. */
interface BootFile {
  total: number;
  files: Record<string, number>;
  hashes?: Record<string, string>;
}

let started: (start: Start) => void;
const booted = new Promise<Start>((resolve) => (started = resolve)).then(boot);

booted.then(
  ({ version }) => post({ type: 'ready', version }),
  (error) => post({ type: 'failed', failure: describe(error) }),
);

self.addEventListener('message', async ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'start') return started(data);
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

async function boot({ base, version }: Start): Promise<Booted> {
  const at = (path: string) => new URL(path, base).href;
  const modules = import(/* @vite-ignore */ at('pyodide/pyodide.mjs')) as Promise<typeof import('pyodide')>;
  modules.catch(() => {}); // awaited below
  const { total, files, hashes } = await readJson<BootFile>(at('boot.json'), version);
  refuseOtherVersions(hashes ?? {}, base);
  const sizes = new Map(Object.entries(files).map(([path, size]) => [at(path), size]));

  const report = throttled((loaded) => {
    post({ type: 'progress', loaded, total });
    if (loaded >= total) post({ type: 'step', text: 'Starting Python' });
  }, total);
  const loading = countLoading(sizes, report);
  report(0);
  try {
    return await Promise.race([startPython(base, await imported(modules), sizes), loading.failed]);
  } finally {
    loading.end();
  }
}

async function startPython(
  base: string,
  { loadPyodide }: typeof import('pyodide'),
  files: Map<string, number>,
): Promise<Booted> {
  const marks: [string, number][] = [['start', performance.now()]];
  const py = await loadPyodide({ indexURL: new URL('pyodide/', base).href });
  marks.push(['loadPyodide', performance.now()]);

  post({ type: 'step', text: 'Installing' });
  await install(
    py,
    [...files.keys()].filter((address) => address.endsWith('.whl')),
  );
  marks.push(['install', performance.now()]);

  post({ type: 'step', text: 'Opening the store' });
  const version = py.runPython('import pyapp; pyapp.__version__') as string;
  const app = (await py.pyimport('pyapp.worker').start(postText, base)) as App;
  marks.push(['open', performance.now()]);
  for (const [index, [name, end]] of marks.entries()) {
    const start = marks[index - 1]?.[1];
    if (start !== undefined) performance.measure(`boot:${name}`, { start, end });
  }
  return { app, version };
}

/** micropip, the first of the wheels, installs the others from their addresses; no package index is asked. */
async function install(py: PyodideAPI, [micropip, ...wheels]: string[]): Promise<void> {
  const quiet = { messageCallback: () => {}, errorCallback: () => {} };
  if (micropip) await py.loadPackage(micropip, quiet);
  const addresses = py.toPy(wheels);
  await py.pyimport('micropip').install.callKwargs(addresses, { deps: false });
  addresses.destroy();
}

/** Python's messages come as JSON text. Parsed here, so that the page need not. */
function postText(text: string): void {
  post(JSON.parse(text) as FromPython);
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

async function readJson<T>(address: string, integrity: string): Promise<T> {
  const response = await fetch(address, { cache: 'no-cache', integrity }).catch((error: Error) => error);
  if (response instanceof Error) throw new LoadError(`Could not load ${address} (${response.message}).`);
  if (!response.ok)
    throw new LoadError(`Could not load ${address} (${response.status} ${response.statusText}).`);
  return (await response.json()) as T;
}

async function imported<T>(module: Promise<T>): Promise<T> {
  return module.catch((error: Error) => {
    throw new LoadError(`${error.message}.`);
  });
}

/** At most 30 reports a second, and always the last one. */
function throttled(report: (loaded: number) => void, total: number): (loaded: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (loaded) => {
    const now = performance.now();
    if (loaded < total && now - last < 33) return;
    last = now;
    report(loaded);
  };
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
