// What the build has made for a start: build/site/boot.json, written by web/build/snapshot.mjs.
declare module 'virtual:boot' {
  /** Sizes in bytes, by the path below the page's folder. */
  type Sizes = Record<string, number>;

  /** The folder of Pyodide's own files, for a script that needs nothing else. */
  export const pyodide: string;

  const boot: {
    /** The folder of Pyodide's own files. */
    pyodide: string;
    snapshot: {
      files: Sizes;
      /** The snapshot's path. It is compressed with gzip. */
      file: string;
      /** How long it is once it is unpacked, in bytes. */
      memory: number;
      /** Of the compressed file, in base64. */
      sha256: string;
      /** The head of a lock file of Pyodide. */
      info: Record<string, string>;
    };
    plain: {
      files: Sizes;
      /** In the order of installation. */
      wheels: string[];
    };
    /** Of files whose names stay while their contents change, as fetch takes them for `integrity`. */
    hashes: Record<string, string>;
  };
  export default boot;
}
