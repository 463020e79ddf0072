// Pyodide's WebAssembly, compiled as it arrives. Pyodide itself asks for it only once the snapshot is there.
import { addressOf } from './loading';

/**
 * Compiles the module at an address from now on, and gives it to whoever compiles it from there until `end` is called.
 * `failed` rejects when it cannot be compiled: Pyodide then waits for ever.
 */
export function compileEarly(address: string) {
  const { fetch } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const compiled = WebAssembly.compileStreaming(fetch(address));
  const failed = compiled.then(() => new Promise<never>(() => {}));
  failed.catch(() => {}); // whoever compiles hears of it too

  const placeholder = new Response();
  globalThis.fetch = (input, init) =>
    addressOf(input) === address ? Promise.resolve(placeholder) : fetch(input, init);
  WebAssembly.instantiateStreaming = async (source, imports) => {
    if ((await source) !== placeholder) return instantiateStreaming(source, imports);
    const module = await compiled;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  const end = () => {
    globalThis.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  };
  return { failed, end };
}
