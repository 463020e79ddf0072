// Files whose names stay while their contents change are of the page's version or none: a deployment may come between
// two fetches of a page that no service worker serves.

/**
 * Makes this worker's fetch refuse a wheel or a recording that differs from its hash. `hashes` has them by path.
 * The others need no such care: their names have a hash or a version in them.
 */
export function refuseOtherVersions(hashes: Record<string, string>, base: string): void {
  const plainFetch = globalThis.fetch;
  const known = new Map(Object.entries(hashes).map(([path, hash]) => [new URL(path, base).href, hash]));
  globalThis.fetch = async (input, init) => {
    const integrity = known.get(input instanceof Request ? input.url : new URL(input, base).href);
    if (integrity === undefined) return plainFetch(input, init);
    try {
      // a copy in the cache may be of another version: it is asked about
      return await plainFetch(input, { ...init, cache: 'no-cache', integrity });
    } catch (error) {
      if (error instanceof TypeError)
        throw new TypeError('it is out of reach, or of another version than this page, which a reload mends');
      throw error; // it was broken off on purpose
    }
  };
}
