// What the ways to start Python are given, and whom they tell how far they are.

/** What Emscripten makes of WebAssembly, as far as it is touched here. */
interface Module {
  HEAP8: Int8Array;
  growMemory(bytes: number): unknown;
}

export type CreateModule = (...options: never[]) => Promise<Module>;

/** What a way to start is given. `mark` tells that a step is over. */
export interface Way {
  at(path: string): string;
  mark(step: string): void;
  pyodide: Promise<{
    loadPyodide: typeof import('pyodide').loadPyodide;
    createPyodideModule: CreateModule;
  }>;
}

/** The options of `loadPyodide`; not all that it takes are in its types. */
export type Options = NonNullable<Parameters<typeof import('pyodide').loadPyodide>[0]>;

export interface Report {
  progress(loaded: number, total: number): void;
  step(text: string): void;
}
