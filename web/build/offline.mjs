// Makes a built page work without a network. The last step of `make build`; `node web/build/offline.mjs FOLDER` does
// it for another folder, also again when files in it have changed.
//
//   boot.json    gains "hashes": {"demo/index.json": "sha256-…", …}, of every file that the page may ask for
//   index.html   gains in <meta name="version"> the hash of that boot.json, so that it changes with every file
//   sw.js        the service worker, with the version and the list of files in it
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const SOURCE = fileURLToPath(new URL('../service-worker/main.ts', import.meta.url));
const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../dist', import.meta.url));

/** Made here, or for others than the page: types, and the list of wheels for other pages with Pyodide. */
const LEFT_OUT = /^(sw\.js|boot\.json|index\.html|wheels\/wheels\.json|.*\.d\.ts)$/;
/** A hash in the name, or Pyodide's version: never another content. */
const NAMED_BY_HASH = /^((assets|python)\/.*-[\w-]{8,}\.|pyodide\/v)/;
const VERSION = /(<meta name="version" content=")[^"]*/;

const path = (name) => join(FOLDER, name);
const hash = (content) => `sha256-${createHash('sha256').update(content).digest('base64')}`;

const page = readFileSync(path('index.html'), 'utf8').replace(VERSION, '$1');
const hashes = { 'index.html': hash(page) };
for (const entry of readdirSync(FOLDER, { recursive: true, withFileTypes: true })) {
  const name = relative(FOLDER, join(entry.parentPath, entry.name)).split(sep).join('/');
  if (entry.isFile() && !LEFT_OUT.test(name)) hashes[name] = hash(readFileSync(path(name)));
}

const boot = JSON.parse(readFileSync(path('boot.json'), 'utf8'));
boot.hashes = Object.fromEntries(Object.entries(hashes).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(path('boot.json'), `${JSON.stringify(boot, null, 2)}\n`);
const version = hash(readFileSync(path('boot.json')));
writeFileSync(path('index.html'), page.replace(VERSION, `$1${version}`));

const { 'index.html': _, ...compared } = boot.hashes;
const files = [
  { url: 'index.html', revision: version },
  ...Object.entries(compared).map(([url, integrity]) => ({
    url,
    revision: NAMED_BY_HASH.test(url) ? null : integrity,
    integrity,
  })),
];
await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  define: { VERSION: JSON.stringify(version), FILES: JSON.stringify(files) },
  build: {
    outDir: FOLDER,
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: { input: SOURCE, output: { format: 'iife', entryFileNames: 'sw.js' } },
  },
});
