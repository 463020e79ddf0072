// A Rivet for one machine: `npm start -- --port 6420 --data FOLDER`. It listens on 127.0.0.1 alone, where rivetkit's own
// server would listen on every address, and keeps the actors' states as files.
import { serve } from '@hono/node-server';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import { createFileSystemDriver } from 'rivetkit';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseArgs } from 'node:util';
import { names, registry } from './actor.js';
import { Guard, refuse } from './guard.js';

const TOKEN = process.env.SESSIONS_TOKEN ?? ''; // without one, any page and program of this machine may ask
const LARGEST_MESSAGE = 256 * 1024 * 1024; // bytes; Rivet's own limits are 64 KiB in and 1 MiB out

const { values } = parseArgs({
  options: { port: { type: 'string', default: '6420' }, data: { type: 'string', default: '.rivet' } },
});

const app = new Hono();
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
const { fetch } = registry.start({
  driver: createFileSystemDriver({ path: values.data }),
  disableDefaultServer: true,
  noWelcome: true,
  inspector: { enabled: false },
  maxIncomingMessageSize: LARGEST_MESSAGE,
  maxOutgoingMessageSize: LARGEST_MESSAGE,
  logging: { level: 'warn' },
  getUpgradeWebSocket: () => upgradeWebSocket,
});
app.use('*', async (c, next) => {
  // A page's question whether it may ask carries no token, and no answer to it tells anything.
  if (TOKEN === '' || c.req.method === 'OPTIONS' || allowed(c.req.raw)) return next();
  return refuse(c, 403, { group: 'auth', code: 'forbidden', message: 'this Rivet wants another token' });
});
const guard = new Guard(names, (request) => fetch(request));
app.use('*', async (c, next) => (await guard.refusal(c)) ?? next());
app.all('*', (c) => fetch(c.req.raw, c.env));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(values.port) }, ({ port }) => {
  console.log(`Ready: http://127.0.0.1:${port}, with the actor \`sessions\`. Ctrl+C ends it.`);
});
server.prependListener('upgrade', (request: IncomingMessage) => {
  // An address that is none throws where nobody hears of it, and the socket stays open: ask for a page that is not there.
  if (!URL.canParse(request.url ?? '/', 'http://localhost')) request.url = '/no-address';
});
injectWebSocket(server);

// What rivetkit cannot start (a damaged state, a full disk) is told to whoever asked for it; and once more in a promise
// that nobody waits for, over which Node would end the server for all others.
process.on('unhandledRejection', (error) => console.error('Not waited for:', error));

/** Whether a request carries the token, in one of the places where Rivet's clients put it. */
function allowed(request: Request): boolean {
  const bearer = request.headers.get('authorization')?.replace(/^Bearer /, '');
  const inPath = /^\/gateway\/[^/]*@([^/]*)/.exec(new URL(request.url).pathname)?.[1];
  const given = [bearer, request.headers.get('x-rivet-token'), inPath && decodeURIComponent(inPath)];
  return given.some((token) => token != null && same(token, TOKEN));
}

function same(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(one!, other!);
}
