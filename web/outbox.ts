// Messages on their way to Python. Of a kind that comes in floods (a dragged slider, a scroll) only the newest
// waits, and it waits until Python has painted the one before: so a drag never queues.
import type { Message } from './protocol';

/** How long to wait for a patch, in milliseconds, since not every message changes the page. */
const PATIENCE = 100;

export class Outbox {
  readonly #send: (message: Message) => void;
  readonly #waiting = new Map<unknown, Message>();
  readonly #underway = new Set<unknown>();
  #timer = 0;

  constructor(send: (message: Message) => void) {
    this.#send = send;
  }

  /** Send now, after everything that waits: what the user did first, Python hears first. */
  post(message: Message): void {
    this.#flush();
    this.#send(message);
  }

  /** Send as soon as the one before with the same key is painted; a newer one takes its place. */
  latest(key: unknown, message: Message): void {
    this.#waiting.set(key, message);
    if (!this.#underway.has(key)) this.#flush();
  }

  /** Is a newer value from here waiting? Then what Python last painted is already out of date. */
  isWaiting(key: unknown): boolean {
    return this.#waiting.has(key);
  }

  /** A patch was applied. */
  painted(): void {
    clearTimeout(this.#timer);
    this.#underway.clear();
    this.#flush();
  }

  #flush(): void {
    if (this.#waiting.size === 0) return;
    const messages = [...this.#waiting];
    this.#waiting.clear();
    for (const [key, message] of messages) {
      this.#underway.add(key);
      this.#send(message);
    }
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.painted(), PATIENCE);
  }
}
