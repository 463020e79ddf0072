// Pyodide's WebAssembly, compiled as it arrives. Pyodide itself would begin only once the snapshot is there.
import { addressOf, LoadError } from './loading';

/** What the page has compiled or compiles, if it does. Undefined in the end when it could not. */
export type Compiled = Promise<WebAssembly.Module | undefined> | undefined;

/**
 * Compiles the module at an address from now on, and gives it to whoever compiles it from there until `end` is called.
 * `failed` rejects when it cannot be compiled: Pyodide then waits for ever.
 */
export function compileEarly(address: string, given: Compiled) {
  const { fetch } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const compile = async () => WebAssembly.compileStreaming(await load(fetch, address));
  const compiled = given ? given.then((module) => module ?? compile()) : compile();
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

async function load(fetch: typeof globalThis.fetch, address: string): Promise<Response> {
  const response = await fetch(address).catch((error: Error) => {
    throw error instanceof LoadError ? error : new LoadError(`Could not load ${address} (${error.message}).`);
  });
  if (!response.ok) throw new LoadError(`Could not load ${address} (${response.status}).`);
  if (response.headers.get('content-type') === 'application/wasm') return response;
  // Not every file server knows the type, and no browser compiles another one as it arrives.
  return new Response(response.body, { headers: { 'content-type': 'application/wasm' } });
}
