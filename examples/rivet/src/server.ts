// A Rivet for one machine: `npm start -- --port 6420 --data FOLDER`. It listens on 127.0.0.1 alone, where rivetkit's own
// server would listen on every address, and keeps the actors' states as files.
import { serve } from '@hono/node-server';
import { createNodeWebSocket } from '@hono/node-ws';
import { Hono } from 'hono';
import { createFileSystemDriver } from 'rivetkit';
import { parseArgs } from 'node:util';
import { registry } from './actor.js';

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
app.all('*', (c) => fetch(c.req.raw, c.env));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(values.port) }, ({ port }) => {
  console.log(`Ready: http://127.0.0.1:${port}, with the actor \`sessions\`. Ctrl+C ends it.`);
});
injectWebSocket(server);
