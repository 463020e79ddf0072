// The page's side: starts the worker, passes what the user does to Python, and does what Python asks.
import { compileKept } from './ahead';
import { alertUser, endBoot, missing, showFailure, showProgress, showStep } from './boot';
import { watchDays, zoneChanges } from './days';
import { api } from './driver';
import { Events } from './events';
import { Focus } from './focus';
import { workOffline } from './offline';
import { Outbox } from './outbox';
import { expectLayout, followLayout } from './layout';
import { applyPatch } from './patch';
import type { BootFailure, FromWorker, Message, Patch, ToWorker } from './protocol';
import type { Api } from './public/pyapp';
import { Caller } from './rpc';
import { askToKeep, Downloads, remember, remembered, tellStorage } from './storage';
import { startWorker } from './trusted';
import { placeDatabase, takeNamedFile, takeSource } from './source';
import { Watcher } from './watch';
import workerAddress from './worker.ts?worker&url';

let isReady: (value: Api) => void;
let isFailed: (reason: Error) => void;
globalThis.pyapp = new Promise<Api>((resolve, reject) => {
  isReady = resolve;
  isFailed = reject;
});
globalThis.pyapp.catch(() => {}); // the page itself tells the user

const source = takeSource();
placeDatabase();
expectLayout(location.hash, remembered());
const lack = missing();
if (lack) fail(lack);
else start();

function start(): void {
  const base = new URL('./', document.baseURI).href;
  const compiling = compileKept(base);
  const worker = startWorker(new URL(workerAddress, import.meta.url).href);
  let early: ToWorker[] | undefined = []; // until the worker listens
  const post = (message: ToWorker) => (early ? void early.push(message) : worker.postMessage(message));
  const send = (message: Message) => post({ type: 'message', message });
  const caller = new Caller(post);
  const outbox = new Outbox(send);
  const focus = new Focus();
  const events = new Events(outbox, focus, (action, files) => post({ type: 'files', action, files }));
  const watcher = new Watcher(outbox);
  const downloads = new Downloads();

  const show = (patch: Patch) => {
    endBoot();
    applyPatch(patch, (control) => events.isHeld(control));
    followLayout();
    focus.settle();
    watcher.refresh();
    if (patch.root?.['data-ready'] === 'true' && !source) void workOffline();
    send({ name: 'painted' });
    outbox.painted();
  };

  const stop = (failure: BootFailure) => {
    worker.terminate();
    caller.abandon(fail(failure));
  };

  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    switch (data.type) {
      case 'listening':
        for (const message of early ?? []) worker.postMessage(message);
        early = undefined;
        return;
      case 'patch':
        return show(data);
      case 'reply':
        return caller.settle(data);
      case 'progress':
        return showProgress(data.loaded, data.total);
      case 'step':
        return showStep(data.text);
      case 'ready':
        document.documentElement.dataset.boot = data.start.way;
        send({ name: 'started', ...data.start, took: performance.now() });
        return isReady(api(data.version, caller));
      case 'failed':
        return stop(data.failure);
      case 'error':
        return alertUser(`Something went wrong in this page: ${data.error.name}: ${data.error.message}`);
      case 'hash':
        return setHash(data.value, data.replace ?? false);
      case 'copy':
        return void copy(data.text, send);
      case 'focus':
        return focus.want(data.id);
      case 'download':
        return downloads.take(data);
      case 'remember':
        return source ? undefined : remember(data.name, data.text); // another store may get this port
      case 'persist':
        return askToKeep(send);
      case 'storage':
        return void tellStorage(send);
    }
  });
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    const why = event.message ? ` (${event.message})` : '';
    stop({
      kind: 'worker',
      text: `The worker in which Python runs could not be started, or broke off${why}.`,
    });
  });
  worker.addEventListener('messageerror', () =>
    stop({ kind: 'worker', text: 'A message from the worker in which Python runs could not be read.' }),
  );

  const plain = new URLSearchParams(location.search).get('boot') === 'plain';
  void compiling.then(async (compiled) => {
    post({ type: 'start', base, plain, compiling: compiled !== undefined, source });
    if (compiled) post({ type: 'compiled', module: await compiled.module });
  });
  const now = Date.now();
  send({
    name: 'route',
    hash: location.hash,
    now,
    zone: zoneChanges(now),
    remembered: source ? {} : remembered(),
    source: takeNamedFile(),
  });
  if (document.visibilityState === 'hidden') send({ name: 'visible', value: false }); // opened behind another tab
  window.addEventListener('hashchange', () => outbox.post({ name: 'route', hash: location.hash }));
  watchDays((now) => outbox.post({ name: 'day', now }));
  const comeBack = () => outbox.post({ name: 'visible', value: document.visibilityState === 'visible' });
  const putAside = () => outbox.post({ name: 'aside' });
  document.addEventListener('visibilitychange', comeBack);
  // https://wicg.github.io/page-lifecycle/: a frozen page must not hold up what other tabs do with its databases.
  document.addEventListener('freeze', putAside);
  document.addEventListener('resume', comeBack);
  window.addEventListener('pagehide', (event) => event.persisted && putAside());
  window.addEventListener('pageshow', (event) => event.persisted && comeBack());
}

function fail(failure: BootFailure): Error {
  showFailure(failure);
  const error = new Error(failure.text);
  isFailed(error);
  return error;
}

function setHash(value: string, replace: boolean): void {
  const hash = value.startsWith('#') ? value : `#${value}`;
  if (location.hash === hash) return;
  if (replace) history.replaceState(null, '', hash);
  else location.hash = hash;
}

async function copy(text: string, send: (message: Message) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    send({ name: 'copied' });
  } catch {
    send({ name: 'trouble', text: 'It did not allow copying. Select the text and copy it from there.' });
  }
}
