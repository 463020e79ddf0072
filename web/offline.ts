// Works without a network after the first visit, and offers the next version when it is there: see
// docs/architecture.md. A page that cannot have a service worker works without, and says nothing of it.
import { hideOffer, showOffer } from './offer';
import type { FromServiceWorker, ToServiceWorker } from './service-worker/messages';
import { registerServiceWorker } from './trusted';

const HOUR = 3_600_000;

/** The version of this page, the hash of its boot.json. Empty where there is none: the build's last step puts it in. */
const version = document.querySelector<HTMLMetaElement>('meta[name=version]')?.content ?? '';

/** Keep the page's files, once they are loaded: none is fetched twice, and nothing delays the start. */
export async function workOffline(): Promise<void> {
  try {
    if (!version || !navigator.serviceWorker) return;
    const registration = await registerServiceWorker(new URL('sw.js', document.baseURI).href);
    offerUpdates(registration);
    await join(registration);
  } catch (error) {
    console.info('This page was not stored for work without a network.', error);
  }
}

/** Start again from the network, where what is stored does not start: it may be damaged, or mended meanwhile. */
export async function startAgain(): Promise<void> {
  try {
    if (navigator.onLine && navigator.serviceWorker?.controller) {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration?.unregister();
    }
  } catch {
    // Not allowed to: then as it is.
  }
  location.reload();
}

/** This page may have been loaded before there was a service worker, even before a deployment. */
async function join(registration: ServiceWorkerRegistration): Promise<void> {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (!worker) return;
  await activated(worker);
  const { version: kept } = await ask(worker, { type: 'join', version });
  document.documentElement.dataset.offline = 'ready';
  if (kept !== version) offer(registration);
}

function offerUpdates(registration: ServiceWorkerRegistration): void {
  const watch = (worker: ServiceWorker | null) =>
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && registration.active) offer(registration);
    });
  registration.addEventListener('updatefound', () => watch(registration.installing));
  watch(registration.installing);
  if (registration.active && registration.waiting) offer(registration);

  let asked = Date.now(); // a navigation makes the browser ask
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden' || Date.now() - asked < HOUR) return;
    asked = Date.now();
    registration.update().catch(() => {}); // no network
  });
}

function offer(registration: ServiceWorkerRegistration): void {
  showOffer('A new version of this page is ready.', () => void accept(registration));
}

/** The user asked for it. This is the only place that reloads for an update. */
async function accept(registration: ServiceWorkerRegistration): Promise<void> {
  const next = registration.waiting;
  if (next) {
    const { others } = await ask(next, { type: 'take over' });
    if (others) {
      const tabs = others === 1 ? 'another tab' : `${others} other tabs`;
      const them = others === 1 ? 'it' : 'them';
      return showOffer(
        `This page is open in ${tabs} too: close ${them}, then reload.`,
        () => void accept(registration),
      );
    }
    await activated(next);
  }
  hideOffer();
  location.reload();
}

function ask(worker: ServiceWorker, message: ToServiceWorker): Promise<FromServiceWorker> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<FromServiceWorker>) => {
      port1.close();
      resolve(data);
    };
    worker.postMessage(message, [port2]);
  });
}

function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (worker.state === 'activated') resolve();
      if (worker.state === 'redundant') reject(new Error('The service worker was not installed.'));
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
