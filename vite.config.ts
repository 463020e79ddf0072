// Builds the page into dist/. Every address in it is relative, so that dist/ works from any folder.
import { copyFileSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** What web/build/ has made before: wheels, snapshot and boot.json, which tells what a start fetches. */
const SITE = 'build/site';
const { pyodide: PYODIDE } = JSON.parse(readFileSync(join(SITE, 'boot.json'), 'utf8')) as { pyodide: string };

/**
 * The files of Pyodide's core that a page fetches, and their names in dist/; the rest of the npm package is for Node
 * and for debugging. Modules end in .js there, which every file server knows.
 */
const CORE = {
  'pyodide.mjs': 'pyodide.js',
  'pyodide.asm.mjs': 'pyodide.asm.js',
  'pyodide.asm.wasm': 'pyodide.asm.wasm',
  'python_stdlib.zip': 'python_stdlib.zip',
  'pyodide-lock.json': 'pyodide-lock.json',
};

/** Copies Python beside the page: it is served from the page's own origin, never from elsewhere. */
function python(): Plugin {
  let out = '';
  return {
    name: 'python',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir);
    },
    writeBundle() {
      cpSync(SITE, out, { recursive: true });
      mkdirSync(join(out, PYODIDE), { recursive: true });
      for (const [name, inPage] of Object.entries(CORE))
        copyFileSync(join('node_modules/pyodide', name), join(out, PYODIDE, inPage));
    },
  };
}

/** `import boot from 'virtual:boot'`: a page and what it starts from are of one build, whatever a cache holds. */
function boot(): Plugin {
  return {
    name: 'boot',
    resolveId: (id) => (id === 'virtual:boot' ? id : undefined),
    load(id) {
      if (id !== 'virtual:boot') return undefined;
      const content = readFileSync(join(SITE, 'boot.json'), 'utf8');
      return `export const pyodide = ${JSON.stringify(PYODIDE)};\nexport default ${content}`;
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

/** Nothing is painted before the page's own small script has laid it out. Vite drops the attribute. */
function renderBlocking(): Plugin {
  return {
    name: 'render-blocking',
    transformIndexHtml: {
      order: 'post',
      handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
    },
  };
}

export default defineConfig({
  base: './',
  publicDir: 'web/public',
  plugins: [boot(), icons(), renderBlocking(), python()],
  worker: { format: 'es', plugins: () => [boot()] },
  build: {
    outDir: 'dist',
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
