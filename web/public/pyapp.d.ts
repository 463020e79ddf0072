// Types of `globalThis.pyapp`, which the page offers to scripts of the same page. Put this file among the
// sources of a project: nothing has to be imported for the global, and `import type` gives the interfaces.
//
// Records and events are upstream's, so a `Driver` is what the SDK `sandbox-agent` takes as `persist`.

/** What the Agent Client Protocol defines; `@agentclientprotocol/sdk` has types for it. Any JSON value is kept. */
export type AcpValue = any;

/** What is known of one session, without its events. Fields that are not named here are kept too. */
export interface SessionRecord {
  id: string;
  agent: string;
  agentSessionId: string;
  lastConnectionId: string;
  /** Milliseconds since the epoch, as all times here. */
  createdAt: number;
  destroyedAt?: number;
  sandboxId?: string;
  /** The parameters of `session/new`: an object. */
  sessionInit?: AcpValue;
  /** An array of configuration options. */
  configOptions?: AcpValue;
  /** An object, or null for an agent without modes. */
  modes?: AcpValue;
}

/** One JSON-RPC message of a session. Fields that are not named here are kept too. */
export interface SessionEvent {
  /** Unique among the events of all sessions. */
  id: string;
  /** 1, 2, 3, … in its session. */
  eventIndex: number;
  sessionId: string;
  createdAt: number;
  connectionId: string;
  sender: 'client' | 'agent';
  payload: JsonRpcMessage;
}

/** A request, a notification, or a response with a result or an error. */
export type JsonRpcMessage =
  | { jsonrpc: '2.0'; id: JsonRpcId; method: string; params?: unknown }
  | { jsonrpc: '2.0'; method: string; params?: unknown }
  | { jsonrpc: '2.0'; id: JsonRpcId; result: unknown }
  | { jsonrpc: '2.0'; id: JsonRpcId; error: { code: number; message: string; data?: unknown } };

export type JsonRpcId = string | number | null;

export interface ListPageRequest {
  /** `nextCursor` of the page before; left out for the first page. */
  cursor?: string;
  /** How many items at most: a whole number from 1, 100 if left out. */
  limit?: number;
}

export interface ListEventsRequest extends ListPageRequest {
  sessionId: string;
}

export interface ListPage<T> {
  items: T[];
  /** Absent on the last page. What is written between two pages neither repeats nor skips an item. */
  nextCursor?: string;
}

/** Upstream's interface of a session store. */
export interface SessionPersistDriver {
  /** The record under this id, or undefined. */
  getSession(id: string): Promise<SessionRecord | undefined>;
  /** One page of all sessions, ordered by `createdAt`, then `id`. */
  listSessions(request?: ListPageRequest): Promise<ListPage<SessionRecord>>;
  /** Stores a record in place of the one with the same id, if there is one. */
  updateSession(session: SessionRecord): Promise<void>;
  /** One page of a session's events, ordered by `eventIndex`; empty for an unknown id. */
  listEvents(request: ListEventsRequest): Promise<ListPage<SessionEvent>>;
  /**
   * Stores one event; resolves once it is stored for good. The same event twice is stored once. Rejects with an
   * `EventConflictError` that says `UNIQUE constraint failed: events.session_id, events.event_index` when the
   * session has another event with this index.
   */
  insertEvent(sessionId: string, event: SessionEvent): Promise<void>;
}

/**
 * A session store in IndexedDB, run by Python in the page's worker. Every method rejects with an `Error` whose
 * `name` is the Python class, such as `InvalidRecordError`, or with a `TypeError` for what JSON cannot hold.
 */
export interface Driver extends SessionPersistDriver {
  /** Lets the database go. Later calls reject with a `StoreUnavailableError`; closing twice does no harm. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** The IndexedDB database, created when it is not there: `sandbox-agent-session-store` if left out. */
  databaseName?: string;
  /**
   * What an inserted event survives: the end of the browser (`relaxed`, the default), or also a power cut
   * (`strict`). `default` leaves it to the browser.
   */
  durability?: 'default' | 'strict' | 'relaxed';
}

/** What `globalThis.pyapp` resolves to. */
export interface Api {
  /** The version of the Python package. */
  version: string;
  /** A new driver; each has to be closed by whoever opened it. Rejects for options that are not as above. */
  openDriver(options?: OpenOptions): Promise<Driver>;
}

declare global {
  /** Resolves when Python runs, and rejects when it cannot. */
  var pyapp: Promise<Api>;
}
