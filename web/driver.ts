// The TypeScript face of the Python driver in the worker. Its types are the shipped ones, public/pyapp.d.ts.
import type { Api, Driver, ListPage, OpenOptions, SessionEvent, SessionRecord } from './public/pyapp';
import type { Caller } from './rpc';

/** What `globalThis.pyapp` resolves to: the public object over a caller. */
export function api(version: string, caller: Caller): Api {
  return { version, openDriver: (options = {}) => open(caller, options) };
}

async function open(caller: Caller, options: OpenOptions): Promise<Driver> {
  const handle = (await caller.call('open', { options })) as number;
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
