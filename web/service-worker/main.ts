// The service worker: keeps the files of one version of the page, whole, and answers with no others. It is bundled
// into dist/sw.js by web/build/offline.mjs, which puts in the version and its files.
import { PrecacheController, type PrecacheEntry } from 'workbox-precaching';
import type { FromServiceWorker, ToServiceWorker } from './messages';

declare const self: ServiceWorkerGlobalScope;
declare const VERSION: string;
declare const FILES: PrecacheEntry[];

const PAGE = new URL('index.html', self.registration.scope).href;

const files = new PrecacheController({
  plugins: [
    {
      // The page has just fetched most of it: what the HTTP cache has is not fetched again. A name with a hash in it
      // has no revision, and never another content; the others are checked with the server.
      requestWillFetch: async ({ request }) =>
        new Request(request, { cache: request.cache === 'default' ? 'force-cache' : 'no-cache' }),
      // Every other file is compared with its hash. Hosts may add something of theirs to a page.
      cacheWillUpdate: async ({ request, response }) =>
        response.ok && (request.url !== PAGE || (await response.clone().text()).includes(VERSION))
          ? response
          : null,
    },
  ],
});
files.addToCacheList(FILES);

self.addEventListener('install', (event) => event.waitUntil(install(event)));
self.addEventListener('activate', files.activate); // drops the files of other versions

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const cacheKey = files.getCacheKeyForURL(request.mode === 'navigate' ? page(request.url) : request.url);
  if (request.method !== 'GET' || !cacheKey) return;
  const integrity = files.getIntegrityForCacheKey(cacheKey);
  event.respondWith(files.strategy.handle({ event, request, params: { cacheKey, integrity } }));
});

self.addEventListener('message', (event) => {
  const message = event.data as ToServiceWorker;
  const answer = (reply: FromServiceWorker) => event.ports[0]?.postMessage(reply);
  const { id } = event.source as Client;
  event.waitUntil(message.type === 'join' ? join(id, message.version) : takeOver(id));

  // A first visit: nobody served this page, and it may be of another version than what was installed after it. Claiming
  // takes all pages, so none but one of this version may be there to be taken.
  async function join(id: string, version: string): Promise<void> {
    const strangers = await pages({ includeUncontrolled: true });
    const ours = await pages({ includeUncontrolled: false });
    const alone = strangers.every((one) => one.id === id || ours.some(({ id }) => id === one.id));
    if (version === VERSION && alone) await self.clients.claim();
    answer({ version: VERSION });
  }

  // The pages that are open were served by the version before, and are to have their other files from it as well.
  async function takeOver(id: string): Promise<void> {
    const others = (await pages({ includeUncontrolled: true })).filter((one) => one.id !== id).length;
    answer({ others });
    if (others === 0) await self.skipWaiting();
  }
});

/** All or nothing: what a broken installation has stored would take room from the sessions. */
async function install(event: ExtendableEvent): Promise<void> {
  const cache = await caches.open(files.strategy.cacheName);
  const before = new Set((await cache.keys()).map(({ url }) => url));
  try {
    await files.install(event);
  } catch (error) {
    for (const request of await cache.keys()) if (!before.has(request.url)) await cache.delete(request);
    throw error;
  }
}

/** The open pages of this folder. Other things may be served from folders in it. */
async function pages(options: { includeUncontrolled: boolean }): Promise<readonly Client[]> {
  const windows = await self.clients.matchAll({ ...options, type: 'window' });
  return windows.filter(({ url }) => page(url) === PAGE);
}

/** The address of a page without what comes after `?` and `#`; the folder's own is its index.html. */
function page(address: string): string {
  const url = new URL(address);
  return url.origin + url.pathname.replace(/\/$/, '/index.html');
}
