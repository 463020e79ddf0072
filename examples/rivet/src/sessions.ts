// The sessions in the state of one actor, in the layout of upstream's driver, and what can be done with them.
//
// Every method does its work at once, without waiting for anything: an actor runs its actions side by side, and what
// is looked at must not have changed when it is written. Each change is noted, so that it can be undone.
import { isDeepStrictEqual } from 'node:util';
import { compare, page, place, type Key, type Page, type PageRequest } from './pages.js';
import { Refusal, type EventDraft, type SessionEvent, type SessionRecord } from './rows.js';
import type { Writes } from './writes.js';

export interface Persisted {
  sessions: Record<string, SessionRecord>;
  events: Record<string, SessionEvent[]>;
}

const eventKey = (event: SessionEvent): Key => [event.eventIndex, event.id];
const recordKey = (record: SessionRecord): Key => [record.createdAt, record.id];

export class Sessions {
  readonly #events = new Map<string, SessionEvent>();

  constructor(
    private readonly state: Persisted,
    private readonly writes: Writes,
  ) {
    for (const events of Object.values(state.events)) {
      // Upstream's driver keeps events in the order in which they came.
      if (events.some((event, i) => i > 0 && compare(eventKey(events[i - 1]!), eventKey(event)) > 0)) {
        events.sort((a, b) => compare(eventKey(a), eventKey(b)));
      }
      for (const event of events) this.#events.set(event.id, event);
    }
  }

  getSession(id: string): SessionRecord | null {
    return Object.hasOwn(this.state.sessions, id) ? this.state.sessions[id]! : null;
  }

  listSessions(request: PageRequest): Page<SessionRecord> {
    return page('sessions', this.#sorted(), recordKey, request);
  }

  sessionHeads(): Array<Record<string, unknown>> {
    return this.#sorted().map(({ id, agent, createdAt, destroyedAt }) => ({
      id,
      agent,
      createdAt,
      destroyedAt,
    }));
  }

  updateSession(record: SessionRecord): void {
    const before = this.getSession(record.id);
    this.state.sessions[record.id] = record;
    this.writes.note(() => this.#restore(record.id, before));
  }

  listEvents(sessionId: string, request: PageRequest): Page<SessionEvent> {
    return page('events', this.#of(sessionId), eventKey, request);
  }

  lastEvents(sessionId: string, limit: number, before: Key | null): SessionEvent[] {
    const events = this.#of(sessionId);
    const end = before === null ? events.length : place(events, eventKey, before, false);
    return events.slice(Math.max(0, end - limit), end);
  }

  countEvents(sessionId: string): number {
    return this.#of(sessionId).length;
  }

  totals(): { sessions: number; events: number } {
    return { sessions: Object.keys(this.state.sessions).length, events: this.#events.size };
  }

  /** Store events of one session: all, or none. Gives those that were not stored yet. */
  insertEvents(sessionId: string, events: SessionEvent[]): SessionEvent[] {
    const fresh = new Map<string, SessionEvent>();
    const indexes = new Set<number>();
    for (const event of events) {
      const stored = this.#events.get(event.id) ?? fresh.get(event.id);
      if (stored !== undefined) {
        if (!isDeepStrictEqual(stored, event)) throw idTaken(event.id);
      } else if (indexes.has(event.eventIndex) || this.#hasIndex(sessionId, event.eventIndex)) {
        throw new Refusal(
          'index_taken',
          'UNIQUE constraint failed: events.session_id, events.event_index ' +
            `(session ${JSON.stringify(sessionId)} has an event ${event.eventIndex})`,
        );
      } else {
        indexes.add(event.eventIndex);
        fresh.set(event.id, event);
      }
    }
    for (const event of fresh.values()) this.#put(event);
    return [...fresh.values()];
  }

  /** Store events behind the last one: all, or none. Gives each as it is stored, and those that are new. */
  appendEvents(sessionId: string, drafts: EventDraft[]): { events: SessionEvent[]; fresh: SessionEvent[] } {
    let next = (this.#of(sessionId).at(-1)?.eventIndex ?? 0) + 1;
    const fresh = new Map<string, SessionEvent>();
    const events = drafts.map((draft) => {
      const stored = this.#events.get(draft.id) ?? fresh.get(draft.id);
      if (stored === undefined) {
        if (!Number.isSafeInteger(next))
          throw new Refusal('invalid_record', 'there is no index behind the last event');
        const event: SessionEvent = { ...draft, eventIndex: next++, sessionId };
        fresh.set(event.id, event);
        return event;
      }
      const same = stored.sessionId === sessionId && stored.sender === draft.sender;
      if (
        !same ||
        !isDeepStrictEqual(stored.payload, draft.payload) ||
        !isDeepStrictEqual(stored['pyapp:exact'], draft['pyapp:exact'])
      ) {
        throw idTaken(draft.id);
      }
      return stored;
    });
    for (const event of fresh.values()) this.#put(event);
    return { events, fresh: [...fresh.values()] };
  }

  deleteSession(id: string): void {
    const [record, events] = [this.getSession(id), this.#of(id)];
    this.#remove(id);
    this.writes.note(() => {
      this.#restore(id, record);
      if (events.length > 0) this.state.events[id] = events;
      for (const event of events) this.#events.set(event.id, event);
    });
  }

  /** Add whole sessions that are not stored yet: all, or none. */
  addSessions(records: SessionRecord[], events: SessionEvent[]): void {
    const ids = new Set(records.map((record) => record.id));
    const eventIds = new Set(events.map((event) => event.id));
    if (ids.size < records.length || eventIds.size < events.length) {
      throw new Refusal('id_taken', 'a session or an event comes twice');
    }
    for (const id of ids) {
      if (Object.hasOwn(this.state.sessions, id) || this.#of(id).length > 0) {
        throw new Refusal('session_taken', JSON.stringify(id));
      }
    }
    for (const { id, sessionId } of events) {
      if (this.#events.has(id)) throw idTaken(id);
      if (!ids.has(sessionId)) {
        const words = `event ${JSON.stringify(id)} belongs to a session that does not come with it`;
        throw new Refusal('invalid_record', words);
      }
    }
    const bySession = new Map<string, SessionEvent[]>();
    for (const event of events) {
      const some = bySession.get(event.sessionId);
      if (some) some.push(event);
      else bySession.set(event.sessionId, [event]);
      this.#events.set(event.id, event);
    }
    for (const [sessionId, some] of bySession) {
      this.state.events[sessionId] = some.sort((a, b) => compare(eventKey(a), eventKey(b)));
    }
    for (const record of records) this.state.sessions[record.id] = record;
    this.writes.note(() => {
      for (const id of ids) this.#remove(id);
    });
  }

  #of(sessionId: string): SessionEvent[] {
    return Object.hasOwn(this.state.events, sessionId) ? this.state.events[sessionId]! : [];
  }

  #sorted(): SessionRecord[] {
    return Object.values(this.state.sessions).sort((a, b) => compare(recordKey(a), recordKey(b)));
  }

  #hasIndex(sessionId: string, index: number): boolean {
    const events = this.#of(sessionId);
    return events[place(events, eventKey, [index, ''], false)]?.eventIndex === index;
  }

  #put(event: SessionEvent): void {
    const events = this.#of(event.sessionId);
    if (events.length === 0) this.state.events[event.sessionId] = events;
    const at = place(events, eventKey, eventKey(event), false);
    events.splice(at, 0, event);
    this.#events.set(event.id, event);
    this.writes.note(() => {
      events.splice(at, 1);
      if (events.length === 0) delete this.state.events[event.sessionId];
      this.#events.delete(event.id);
    });
  }

  #remove(sessionId: string): void {
    for (const event of this.#of(sessionId)) this.#events.delete(event.id);
    delete this.state.events[sessionId];
    delete this.state.sessions[sessionId];
  }

  #restore(sessionId: string, record: SessionRecord | null): void {
    if (record === null) delete this.state.sessions[sessionId];
    else this.state.sessions[sessionId] = record;
  }
}

function idTaken(id: string): Refusal {
  return new Refusal('id_taken', `an event with the id ${JSON.stringify(id)} is stored, and is another one`);
}
