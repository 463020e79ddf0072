// Requests and replies over postMessage: each call has a number, and its reply brings that number back.
import type { ErrorData, FromWorker, ToWorker } from './protocol';

type Reply = Extract<FromWorker, { type: 'reply' }>;

/** The caller's side. Calls may be made before the other side listens; they wait in its queue. */
export class Caller {
  #next = 1;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #post: (message: ToWorker) => void;

  constructor(post: (message: ToWorker) => void) {
    this.#post = post;
  }

  /** What the other side's method gives. Rejects with an Error whose name is the other side's class. */
  call(method: string, params: unknown): Promise<unknown> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#post({ type: 'call', id, method, params });
      } catch (error) {
        this.#waiting.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Settle the call that this reply answers. */
  settle(reply: Reply): void {
    const caller = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) caller?.resolve(reply.value);
    else caller?.reject(toError(reply.error));
  }

  /** Reject every call that is still waiting: nobody will answer. */
  abandon(error: Error): void {
    for (const caller of this.#waiting.values()) caller.reject(error);
    this.#waiting.clear();
  }
}

/** Run one call and say how it went, as a message for the caller. Never throws. */
export async function answer(id: number, work: () => Promise<unknown>): Promise<Reply> {
  try {
    return { type: 'reply', id, ok: true, value: await work() };
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
