// What crosses between the page and the worker, and nothing else: the two ends agree here.

/** Something that happened in the page, for Python: `name` and whatever belongs to it. */
export type Message = { name: string } & Record<string, unknown>;

/** What failed during a start, in a form that crosses postMessage. `kind` decides what to advise. */
export interface BootFailure {
  kind: 'fetch' | 'python' | 'unsupported' | 'worker';
  text: string;
}

/** How Python was started: the way, why it was the plain one, and what each step took, in milliseconds. */
export interface Start {
  way: 'snapshot' | 'plain';
  why: string;
  steps: [step: string, took: number][];
}

/** An exception in a form that crosses postMessage: for Python's, `name` is the class. */
export interface ErrorData {
  name: string;
  message: string;
}

/** A child of a region that is kept by its id; the HTML is only there when it is new or has changed. */
export type Child = [id: string] | [id: string, html: string];

export type Attributes = Record<string, string | null>;

/**
 * New content of some regions, by their id: HTML, or the list of a region's children. New attributes of
 * <html> and of other elements, by id (null takes one away).
 */
export interface Patch {
  type: 'patch';
  regions?: Record<string, string | Child[]>;
  root?: Attributes;
  attrs?: Record<string, Attributes>;
  title?: string;
}

export type ToWorker =
  /** `compiling`: a message with the compiled WebAssembly follows. */
  /** `source`: see pyapp/worker.py, start. */
  | { type: 'start'; base: string; plain: boolean; compiling: boolean; source: string }
  /** Without a module when it could not be compiled. */
  | { type: 'compiled'; module: WebAssembly.Module | undefined }
  | { type: 'message'; message: Message }
  | { type: 'files'; action: string; files: File[] }
  | { type: 'call'; id: number; text: string };

export type FromPython =
  | Patch
  | { type: 'hash'; value: string; replace?: boolean }
  | { type: 'copy'; text: string }
  | { type: 'focus'; id: string }
  | {
      type: 'download';
      name: string;
      text?: string;
      data?: Uint8Array<ArrayBuffer>;
      first?: boolean;
      last?: boolean;
    }
  | { type: 'remember'; name: string; text: string }
  | { type: 'persist' }
  | { type: 'storage' };

export type FromWorker =
  | FromPython
  | { type: 'listening' }
  | { type: 'progress'; loaded: number; total: number }
  | { type: 'step'; text: string }
  | { type: 'ready'; version: string; start: Start }
  | { type: 'failed'; failure: BootFailure }
  | { type: 'error'; error: ErrorData }
  | { type: 'reply'; id: number; ok: true; text: string }
  | { type: 'reply'; id: number; ok: false; error: ErrorData };
