// Builds the page into dist/. Every address in it is relative, so that dist/ works from any folder.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** The files of Pyodide's core that a page fetches; the rest of the npm package is for Node and for debugging. */
const PYODIDE = [
  'pyodide.mjs',
  'pyodide.asm.mjs',
  'pyodide.asm.wasm',
  'python_stdlib.zip',
  'pyodide-lock.json',
];

/** Copies Pyodide beside the page: it is served from the page's own origin, never from elsewhere. */
function pyodide(): Plugin {
  let out = '';
  return {
    name: 'pyodide',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir, 'pyodide');
    },
    writeBundle() {
      mkdirSync(out, { recursive: true });
      for (const name of PYODIDE) copyFileSync(join('node_modules/pyodide', name), join(out, name));
    },
  };
}

/** Puts web/icons.svg where index.html says `<!-- icons -->`: symbols must be in the page to be used by id. */
function icons(): Plugin {
  return {
    name: 'icons',
    transformIndexHtml: (html) =>
      html.replace('<!-- icons -->', readFileSync('web/icons.svg', 'utf8').trim()),
  };
}

export default defineConfig({
  base: './',
  publicDir: 'web/public',
  plugins: [icons(), pyodide()],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
