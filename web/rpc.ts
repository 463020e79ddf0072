// Requests and replies over postMessage: each call has a number, and its reply brings that number back. What is
// asked and answered crosses as JSON text, written and read here and in Python; nothing in between looks into it.
import type { ErrorData, FromWorker, ToWorker } from './protocol';

type Reply = Extract<FromWorker, { type: 'reply' }>;

/** The caller's side. Calls may be made before the other side listens; they wait in its queue. */
export class Caller {
  #next = 1;
  #end: Error | undefined;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #post: (message: ToWorker) => void;

  constructor(post: (message: ToWorker) => void) {
    this.#post = post;
  }

  /**
   * What the other side's method gives. Rejects with an Error whose name is the other side's class, or with a
   * TypeError when the parameters hold what JSON cannot.
   */
  async call(method: string, params: object): Promise<unknown> {
    if (this.#end) throw this.#end;
    const id = this.#next++;
    const text = toText({ method, params });
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ type: 'call', id, text });
    });
  }

  /** Settle the call that this reply answers. */
  settle(reply: Reply): void {
    const caller = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) caller?.resolve(JSON.parse(reply.text));
    else caller?.reject(toError(reply.error));
  }

  /** Nobody will answer any more: reject every call that waits, and every later one. */
  abandon(error: Error): void {
    this.#end = error;
    for (const caller of this.#waiting.values()) caller.reject(error);
    this.#waiting.clear();
  }
}

/**
 * A value as JSON text. What JSON.stringify drops or changes without a word is refused instead, besides members
 * that are undefined: those are left out, as their types allow.
 */
function toText(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (typeof item === 'function' || typeof item === 'symbol') throw unfit(key, `a ${typeof item}`);
    if (typeof item === 'number' && !Number.isFinite(item)) throw unfit(key, String(item));
    return item;
  });
}

function unfit(key: string, what: string): TypeError {
  return new TypeError(`${key} is ${what}, which JSON cannot hold`);
}

/** Run one call and say how it went, as a message for the caller. Never throws. */
export async function answer(id: number, work: () => Promise<string>): Promise<Reply> {
  try {
    return { type: 'reply', id, ok: true, text: await work() };
  } catch (error) {
    return { type: 'reply', id, ok: false, error: toData(error) };
  }
}

/**
 * An exception as plain data. Pyodide's PythonError has the class in `type` and a whole traceback as its
 * message; what the exception itself says begins after the last line that starts with the class.
 */
export function toData(error: unknown): ErrorData {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const type = (error as { type?: unknown }).type;
  if (error.name !== 'PythonError' || typeof type !== 'string') {
    return { name: error.name, message: error.message };
  }
  const lines = error.message.trimEnd().split('\n');
  const isLast = (line: string) => line.replace(/^(\w+\.)*/, '').split(':', 1)[0] === type;
  const at = lines.findLastIndex(isLast);
  if (at < 0) return { name: type, message: error.message };
  const said = lines.slice(at).join('\n');
  return { name: type, message: said.includes(': ') ? said.slice(said.indexOf(': ') + 2) : '' };
}

function toError(data: ErrorData): Error {
  const error = new Error(data.message);
  error.name = data.name;
  return error;
}
