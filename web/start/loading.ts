// Fetches of a start, counted: every byte that arrives is reported, and the first failure ends the start.

/** A file of the page that could not be read. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/**
 * Puts a counting fetch in place of the worker's own until `end` is called. `files`, by their
 * addresses, are asked for at once, all together, and handed to whoever asks for them first.
 *
 * `failed` rejects as soon as one of them cannot be read: what Pyodide does then is anything from a clear
 * error to waiting for ever.
 */
export function countLoading(files: Set<string>, report: (loaded: number) => void) {
  const plainFetch = globalThis.fetch;
  let loaded = 0;
  let fail: (error: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {}); // it is also what every request of the start throws
  self.addEventListener('unhandledrejection', (event) => {
    if (event.reason instanceof LoadError) event.preventDefault(); // told already; Pyodide drops some promises
  });

  const load = async (address: string, init?: RequestInit): Promise<Response> => {
    try {
      const response = await plainFetch(address, init);
      if (!response.ok) throw new LoadError(`${response.status} ${response.statusText}`.trim());
      return counted(response, address);
    } catch (error) {
      throw unreadable(address, error);
    }
  };

  // The body passes through uncopied, with status and headers kept: WebAssembly still compiles as it arrives.
  const counted = (response: Response, address: string): Response => {
    if (!response.body) return response;
    const transform: Transformer<Uint8Array, Uint8Array>['transform'] = (chunk, controller) => {
      loaded += chunk.byteLength;
      report(loaded);
      controller.enqueue(chunk);
    };
    // Without a limit: bytes are read, and counted, when they arrive and not when Pyodide asks for them.
    const unlimited = new CountQueuingStrategy({ highWaterMark: Number.POSITIVE_INFINITY });
    const meter = new TransformStream<Uint8Array, Uint8Array>({ transform }, undefined, unlimited);
    response.body.pipeTo(meter.writable).catch((error) => unreadable(address, error));
    const { status, statusText, headers } = response;
    return new Response(meter.readable, { status, statusText, headers });
  };

  const unreadable = (address: string, error: unknown): LoadError => {
    const why = error instanceof Error ? error.message : String(error);
    const said = new LoadError(`Could not load ${address} (${why}).`);
    fail(said);
    return said;
  };

  const early = new Map([...files].map((address) => [address, load(address)]));
  for (const response of early.values()) response.catch(() => {});

  globalThis.fetch = (input, init) => {
    const address = addressOf(input);
    const response = early.get(address);
    early.delete(address);
    return response ?? (files.has(address) ? load(address, init) : plainFetch(input, init));
  };

  return { failed, end: () => void (globalThis.fetch = plainFetch) };
}

/** What a fetch asks for. */
export function addressOf(input: RequestInfo | URL): string {
  return input instanceof Request ? input.url : new URL(input, location.href).href;
}
