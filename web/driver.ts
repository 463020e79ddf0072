// The TypeScript face of the Python driver in the worker: upstream's SessionPersistDriver, and close().
import type { Caller } from './rpc';

export interface OpenOptions {
  databaseName?: string;
  durability?: 'default' | 'strict' | 'relaxed';
}

export interface ListRequest {
  cursor?: string;
  limit?: number;
}

export interface ListPage<T> {
  items: T[];
  nextCursor?: string;
}

export interface SessionRecord {
  id: string;
  agent: string;
  agentSessionId: string;
  lastConnectionId: string;
  createdAt: number;
  destroyedAt?: number;
  [field: string]: unknown;
}

export interface SessionEvent {
  id: string;
  eventIndex: number;
  sessionId: string;
  createdAt: number;
  connectionId: string;
  sender: 'client' | 'agent';
  payload: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Driver {
  getSession(id: string): Promise<SessionRecord | undefined>;
  listSessions(request?: ListRequest): Promise<ListPage<SessionRecord>>;
  updateSession(session: SessionRecord): Promise<void>;
  listEvents(request: ListRequest & { sessionId: string }): Promise<ListPage<SessionEvent>>;
  insertEvent(sessionId: string, event: SessionEvent): Promise<void>;
  close(): Promise<void>;
}

/** What `globalThis.pyapp` resolves to. */
export interface Api {
  version: string;
  openDriver(options?: OpenOptions): Promise<Driver>;
}

/** The public object over a caller. Records cross as JSON values: what JSON leaves out is left out here too. */
export function api(version: string, caller: Caller): Api {
  return { version, openDriver: (options = {}) => open(caller, options) };
}

async function open(caller: Caller, options: OpenOptions): Promise<Driver> {
  const { handle } = (await caller.call('open', options)) as { handle: unknown };
  const call = async (method: string, params: object = {}) =>
    (await caller.call(method, { ...params, handle })) ?? undefined;
  return {
    getSession: (id) => call('getSession', { id }) as Promise<SessionRecord | undefined>,
    listSessions: (request = {}) => call('listSessions', request) as Promise<ListPage<SessionRecord>>,
    updateSession: async (record) => void (await call('updateSession', { record })),
    listEvents: (request) => call('listEvents', request) as Promise<ListPage<SessionEvent>>,
    insertEvent: async (sessionId, event) => void (await call('insertEvent', { sessionId, event })),
    close: async () => void (await call('close')),
  };
}
