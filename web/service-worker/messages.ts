// What a page and a service worker say to each other. Each message brings a port for its answer.

export type ToServiceWorker =
  /** To the active one: here is a page of this version. */
  | { type: 'join'; version: string }
  /** To the waiting one: the user wants it now. */
  | { type: 'take over' };

export interface FromServiceWorker {
  /** Of what the service worker keeps. */
  version?: string;
  /** How many other pages are open, which it does not take over from. */
  others?: number;
}
