// Files whose names stay while their contents change are of the page's version or none: a deployment may come between
// two fetches of a page that no service worker serves.

/**
 * Makes this worker's fetch refuse a wheel or a recording that differs from its hash. `hashes` has them by path.
 * What Pyodide reads is left out: a file that is compared arrives whole, so it could not be compiled or counted while
 * it comes; its names carry a hash, or it compares its version itself.
 */
export function refuseOtherVersions(hashes: Record<string, string>, base: string): void {
  const plainFetch = globalThis.fetch;
  const known = new Map(
    Object.entries(hashes)
      .filter(([path]) => /^(wheels|demo)\//.test(path))
      .map(([path, hash]) => [new URL(path, base).href, hash]),
  );
  globalThis.fetch = async (input, init) => {
    const integrity = known.get(input instanceof Request ? input.url : new URL(input, base).href);
    if (integrity === undefined) return plainFetch(input, init);
    try {
      return await plainFetch(input, { ...init, integrity });
    } catch (error) {
      if (error instanceof TypeError)
        throw new TypeError('it is out of reach, or of another version than this page, which a reload mends');
      throw error; // it was broken off on purpose
    }
  };
}
