// A Rivet actor that keeps the sessions of one workspace, and tells whoever is connected what is written.
//
// Its first five actions are the methods of upstream's SessionPersistDriver; the others are what a store does faster, or
// in one piece, when it does not go through those. Its state has the layout of upstream's driver.
import onChange from '@rivetkit/on-change';
import { actor, setup, UserError } from 'rivetkit';
import type { Key, PageRequest } from './pages.js';
import { draft, event, id, integer, list, record, Refusal, type SessionEvent } from './rows.js';
import { Sessions, type Persisted } from './sessions.js';
import { Writes } from './writes.js';

interface Vars {
  sessions: Sessions | null;
  writes: Writes;
  imports: Map<string, SessionEvent[]>;
}

interface Context {
  state: { _sandboxAgentPersist: Persisted; touched?: true };
  vars: Vars;
  saveState(options: { immediate: boolean }): Promise<void>;
  broadcast(name: string, ...values: unknown[]): void;
}

/** The methods of upstream's SessionPersistDriver. */
const five = {
  getSession: (c: Context, sessionId: string) => of(c).getSession(sessionId),
  listSessions: (c: Context, request: PageRequest = {}) => refusing(() => of(c).listSessions(request)),
  listEvents: (c: Context, request: PageRequest & { sessionId: string }) =>
    refusing(() => of(c).listEvents(request.sessionId, request)),

  updateSession: async (c: Context, given: unknown) => {
    const known = refusing(() => record(given));
    of(c).updateSession(known);
    await saved(c);
    c.broadcast('sessionsChanged', [known.id]);
  },

  insertEvent: async (c: Context, sessionId: string, given: unknown) => insert(c, sessionId, [given]),
};

const life = {
  createState: () => ({ _sandboxAgentPersist: { sessions: {}, events: {} } as Persisted }),
  createVars: (): Vars => ({ sessions: null, writes: new Writes(), imports: new Map() }),
  options: { actionTimeout: 300_000 },
};

const sessions = actor({
  ...life,
  actions: {
    ...five,
    insertEvents: async (c, sessionId: string, given: unknown) => insert(c, sessionId, list(given)),

    appendEvents: async (c, sessionId: string, given: unknown) => {
      const { events, fresh } = refusing(() =>
        of(c).appendEvents(id(sessionId, 'a session'), list(given).map(draft)),
      );
      await written(c, fresh);
      return events;
    },

    lastEvents: (c, sessionId: string, limit: number, before: Key | null = null) =>
      refusing(() => of(c).lastEvents(sessionId, integer(limit, 'limit', 1), before)),
    countEvents: (c, sessionId: string) => of(c).countEvents(sessionId),
    sessionHeads: (c) => of(c).sessionHeads(),
    totals: (c) => of(c).totals(),

    deleteSession: async (c, sessionId: string) => {
      of(c).deleteSession(sessionId);
      await saved(c);
      c.broadcast('sessionsChanged', [sessionId]);
    },

    // Whole sessions come in parts, which are kept aside until the last one is here. What is not ended is forgotten when
    // the actor sleeps.
    importEvents: (c, importId: string, given: unknown) =>
      refusing(() => {
        const events = list(given).map((row) =>
          event(row, id((row as SessionEvent)?.sessionId, 'a session')),
        );
        const before = c.vars.imports.get(importId);
        if (before === undefined) c.vars.imports.set(importId, events);
        else for (const one of events) before.push(one);
      }),
    dropImport: (c, importId: string) => {
      c.vars.imports.delete(importId);
    },
    addSessions: async (c, importId: string, given: unknown, count: number) => {
      const events = c.vars.imports.get(importId) ?? [];
      c.vars.imports.delete(importId);
      if (events.length !== count) throw new UserError('the import was forgotten halfway; begin it again');
      const records = refusing(() => list(given).map(record));
      refusing(() => of(c).addSessions(records, events));
      await saved(c);
      c.broadcast(
        'sessionsChanged',
        records.map((one) => one.id),
      );
    },
  },
});

/** An actor that has the five alone, as one of upstream's users may: clients do the rest with them. */
const plainSessions = actor({ ...life, actions: five });

const actors = { sessions, plainSessions };
export const names = Object.keys(actors);
export const registry = setup({ use: actors });

function of(c: Context): Sessions {
  // Work goes past the proxies that notice changes: they would cost more than the work itself. See `saved`.
  return (c.vars.sessions ??= new Sessions(onChange.target(c.state._sandboxAgentPersist), c.vars.writes));
}

async function insert(c: Context, sessionId: string, given: unknown[]): Promise<void> {
  const fresh = refusing(() => {
    id(sessionId, 'a session');
    return of(c).insertEvents(
      sessionId,
      given.map((row) => event(row, sessionId)),
    );
  });
  await written(c, fresh);
}

/** Events are told once they are saved. */
async function written(c: Context, events: SessionEvent[]): Promise<void> {
  await saved(c);
  for (const one of events) c.broadcast('sessionEvent', one);
}

/** Wait until all that was changed so far is saved; what cannot be saved is undone and refused. */
async function saved(c: Context): Promise<void> {
  try {
    await c.vars.writes.saved(async () => {
      touch(c);
      await c.saveState({ immediate: true });
    });
  } catch {
    touch(c); // what Rivet may keep to save it later is without what was undone
    throw new UserError("the actor's state cannot be saved, and is what it was; Rivet's log says why", {
      code: 'not_saved',
    });
  }
}

/** Have Rivet notice that the state has changed. */
function touch(c: Context): void {
  c.state.touched = true;
  delete c.state.touched;
}

function refusing<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) throw new UserError(error.message, { code: error.code });
    throw error;
  }
}
