// What a start can do before its worker runs. From a second visit on Pyodide's WebAssembly lies in the service worker's
// cache: the page compiles it from there, while the browser still makes the worker.
import { pyodide } from 'virtual:boot';

/**
 * The compiled WebAssembly, if its file is kept; the module is undefined when it could not be compiled. The file's name
 * has Pyodide's version in it, so that whichever version of the page has kept it, it is the same.
 */
export async function compileKept(
  base: string,
): Promise<{ module: Promise<WebAssembly.Module | undefined> } | undefined> {
  try {
    const kept = await caches.match(new URL(`${pyodide}pyodide.asm.wasm`, base).href);
    return kept && { module: WebAssembly.compileStreaming(kept).catch(() => undefined) };
  } catch {
    return undefined; // no cache storage here, or none that works
  }
}
