// Starts Python: from the snapshot that the build has made, or, where that cannot be used, plainly.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Start } from '../protocol';
import { countLoading, type Files, LoadError } from './loading';
import { fromSnapshot } from './snapshot';
import { plainly } from './plain';
import { compileEarly } from './wasm';

/** What a way to start is given. `mark` tells that a step is over. */
export interface Way {
  at(path: string): string;
  loadPyodide: typeof import('pyodide').loadPyodide;
  createPyodideModule: (...options: never[]) => Promise<unknown>;
  mark(step: string): void;
}

export interface Report {
  progress(loaded: number, total: number): void;
  step(text: string): void;
}

/** A Python that can import the app, and how it was started. Raises LoadError, or what Pyodide throws. */
export async function start(
  base: string,
  plain: boolean,
  report: Report,
): Promise<{ py: PyodideAPI; start: Start }> {
  if (plain) return attempt(base, 'plain', 'it was asked for with boot=plain', report);
  try {
    return await attempt(base, 'snapshot', '', report);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.warn('Python was not started from its snapshot:', error);
    return attempt(base, 'plain', why, report);
  }
}

async function attempt(base: string, way: Start['way'], why: string, report: Report) {
  const at = (path: string) => new URL(path, base).href;
  const steps: Start['steps'] = [];
  let last = performance.now();
  const mark = (step: string) => {
    const now = performance.now();
    performance.measure(`start:${step}`, { start: last, end: now });
    steps.push([step, now - last]);
    last = now;
  };
  // Imports, whose bytes cannot be counted, go on their way with what can be.
  const loader = imported<typeof import('pyodide')>(at(`${boot.pyodide}pyodide.js`));
  const core = imported<{ default: Way['createPyodideModule'] }>(at(`${boot.pyodide}pyodide.asm.js`));
  const files = filesOf(way, at);
  const total = [...files.values()].reduce((sum, { size }) => sum + size, 0);
  const loading = countLoading(
    files,
    throttled((loaded) => {
      report.progress(loaded, total);
      if (loaded >= total) report.step('Starting Python');
    }, total),
  );
  report.progress(0, total);
  const compiling = compileEarly(at(`${boot.pyodide}pyodide.asm.wasm`));
  const run = async () => {
    const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([loader, core]);
    const begin = way === 'snapshot' ? fromSnapshot : plainly;
    return begin({ at, loadPyodide, createPyodideModule, mark }, report);
  };
  try {
    const py = await Promise.race([run(), loading.failed, compiling.failed]);
    return { py, start: { way, why, steps } };
  } finally {
    compiling.end();
    loading.end();
  }
}

function filesOf(way: Start['way'], at: (path: string) => string): Files {
  const { files } = boot[way];
  return new Map(
    Object.entries(files).map(([path, size]) => [at(path), { size, sha256: boot.plain.sha256[path] }]),
  );
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
