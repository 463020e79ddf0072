// What crosses between the page and the worker, and nothing else: the two ends agree here.

/** Something that happened in the page, for Python: `name` and whatever belongs to it. */
export type Message = { name: string } & Record<string, unknown>;

/** What failed during a start, in a form that crosses postMessage. `kind` decides what to advise. */
export interface BootFailure {
  kind: 'fetch' | 'python' | 'unsupported' | 'worker';
  text: string;
}

/** An exception in a form that crosses postMessage: for Python's, `name` is the class. */
export interface ErrorData {
  name: string;
  message: string;
}

/** New HTML for some regions, by their id, and new attributes of <html> (null takes one away). */
export interface Patch {
  type: 'patch';
  regions?: Record<string, string>;
  root?: Record<string, string | null>;
  title?: string;
}

export type ToWorker =
  | { type: 'start'; base: string }
  | { type: 'message'; message: Message }
  | { type: 'files'; action: string; files: File[] }
  | { type: 'call'; id: number; method: string; params: unknown };

export type FromPython =
  | Patch
  | { type: 'hash'; value: string; replace?: boolean }
  | { type: 'copy'; text: string }
  | { type: 'focus'; id: string }
  | { type: 'download'; name: string; text: string };

export type FromWorker =
  | FromPython
  | { type: 'progress'; loaded: number; total: number }
  | { type: 'step'; text: string }
  | { type: 'ready'; version: string }
  | { type: 'failed'; failure: BootFailure }
  | { type: 'error'; error: ErrorData }
  | { type: 'reply'; id: number; ok: true; value: unknown }
  | { type: 'reply'; id: number; ok: false; error: ErrorData };
