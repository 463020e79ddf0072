// Starts Python: from the snapshot that the build has made, or, where that cannot be used, plainly.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Start } from '../protocol';
import { forget, keep, keptSnapshot, readKept } from './kept';
import { countLoading, LoadError } from './loading';
import { plainly } from './plain';
import { fromSnapshot, unpack } from './snapshot';
import { compileEarly, type Compiled } from './wasm';
import type { CreateModule, Report, Way } from './way';

const WASM = `${boot.pyodide}pyodide.asm.wasm`;

export interface How {
  /** The address of the page's folder. */
  base: string;
  plain: boolean;
  /** Pyodide's WebAssembly, where the page compiles it. */
  compiled: Compiled;
}

interface Started {
  py: PyodideAPI;
  start: Start;
  /** To be called when nothing more urgent is to be done. */
  afterwards(): Promise<void>;
}

/** A Python that can import the app, and how it was started. Raises LoadError, or what Pyodide throws. */
export async function start(how: How, report: Report): Promise<Started> {
  const attempt = new Attempt(how, report);
  if (how.plain) return attempt.plain('it was asked for with boot=plain');
  try {
    return await attempt.snapshot();
  } catch (error) {
    console.warn('Python was not started from its snapshot:', error);
    await forget(how.base); // if it was a kept one, it may be at fault
    return new Attempt(how, report).plain(error instanceof Error ? error.message : String(error));
  }
}

class Attempt {
  private readonly steps: Start['steps'] = [];
  private last = performance.now();

  constructor(
    private readonly how: How,
    private readonly report: Report,
  ) {}

  async snapshot(): Promise<Started> {
    const { files, file, memory: length } = boot.snapshot;
    let kept = await keptSnapshot(this.how.base);
    const memory = new Uint8Array(length);
    // After a first visit all is at hand: there is nothing to count, and counting takes time.
    const counted = Object.entries(files).filter(([path]) => !kept || (path !== file && path !== WASM));
    const fill = async () => {
      try {
        if (kept) return await readKept(kept, memory);
      } catch (error) {
        console.warn('The snapshot is taken as it came with the page:', error);
        kept = undefined;
      }
      await unpack(await fetch(this.at(file)), memory);
    };
    const py = await this.run(Object.fromEntries(counted), (way) => fromSnapshot(way, memory, fill()));
    const afterwards = async () => {
      if (!kept) await keep(this.how.base, memory);
    };
    return { py, start: { way: 'snapshot', why: '', steps: this.steps }, afterwards };
  }

  async plain(why: string): Promise<Started> {
    const py = await this.run(boot.plain.files, (way) => plainly(way, this.report));
    return { py, start: { way: 'plain', why, steps: this.steps }, afterwards: async () => {} };
  }

  /** Fetches, counts and compiles while `begin` starts Python. */
  private async run(
    sizes: Record<string, number>,
    begin: (way: Way) => Promise<PyodideAPI>,
  ): Promise<PyodideAPI> {
    const pyodide = this.modules();
    pyodide.catch(() => {}); // awaited by who begins
    if (this.how.compiled)
      sizes = Object.fromEntries(Object.entries(sizes).filter(([path]) => path !== WASM));
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    const progress = throttled((loaded) => {
      this.report.progress(loaded, total);
      if (loaded >= total) this.report.step('Starting Python');
    }, total);
    const loading = countLoading(new Set(Object.keys(sizes).map(this.at.bind(this))), progress);
    this.report.progress(0, total);
    const compiling = compileEarly(this.at(WASM), this.how.compiled);
    const way = { at: this.at.bind(this), mark: this.mark.bind(this), pyodide };
    try {
      return await Promise.race([begin(way), loading.failed, compiling.failed]);
    } finally {
      compiling.end();
      loading.end();
    }
  }

  /** Pyodide's own modules. They are imported, so that their bytes cannot be counted. */
  private async modules() {
    const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([
      imported<typeof import('pyodide')>(this.at(`${boot.pyodide}pyodide.js`)),
      imported<{ default: CreateModule }>(this.at(`${boot.pyodide}pyodide.asm.js`)),
    ]);
    return { loadPyodide, createPyodideModule };
  }

  private at(path: string): string {
    return new URL(path, this.how.base).href;
  }

  private mark(step: string): void {
    const now = performance.now();
    this.steps.push([step, now - this.last]);
    this.last = now;
  }
}

async function imported<T>(address: string): Promise<T> {
  try {
    return (await import(/* @vite-ignore */ address)) as T;
  } catch (error) {
    throw new LoadError(`Could not load ${address} (${error instanceof Error ? error.message : error}).`);
  }
}

/** At most 30 reports a second, and always the last one. */
function throttled(report: (loaded: number) => void, total: number): (loaded: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (loaded) => {
    const now = performance.now();
    if (loaded < total && now - last < 33) return;
    last = now;
    report(loaded);
  };
}
