// Makes one module for the browser of scenarios.ts and the SDK. For the tests alone: nothing of it is in dist/.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  publicDir: false,
  build: {
    target: 'es2022',
    minify: false,
    lib: { entry: 'scenarios.ts', formats: ['es'], fileName: () => 'scenarios.js' },
  },
});
