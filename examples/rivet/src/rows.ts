// Sessions and their events as upstream's drivers keep them, and the check of what a client sends.

export interface SessionRecord {
  id: string;
  createdAt: number;
  [field: string]: unknown;
}

export interface EventDraft {
  id: string;
  createdAt: number;
  connectionId: string;
  sender: 'client' | 'agent';
  payload: Record<string, unknown>;
  [field: string]: unknown;
}

export interface SessionEvent extends EventDraft {
  eventIndex: number;
  sessionId: string;
}

/** What was sent cannot be stored; nothing was changed. `code` tells clients which way. */
export class Refusal extends Error {
  constructor(
    readonly code: 'invalid_record' | 'invalid_cursor' | 'index_taken' | 'id_taken' | 'session_taken',
    message: string,
  ) {
    super(message);
  }
}

export function record(value: unknown): SessionRecord {
  const row = object(value, 'a session record');
  id(row.id, 'a session record');
  for (const name of ['agent', 'agentSessionId', 'lastConnectionId']) text(row[name], name);
  integer(row.createdAt, 'createdAt', 0);
  return row as SessionRecord;
}

export function event(value: unknown, sessionId: string): SessionEvent {
  const row = draft(value);
  integer(row.eventIndex, 'eventIndex', 1);
  if (row.sessionId !== sessionId) {
    throw new Refusal(
      'invalid_record',
      `event ${shown(row.id)} belongs to another session than ${shown(sessionId)}`,
    );
  }
  return row as SessionEvent;
}

export function draft(value: unknown): EventDraft {
  const row = object(value, 'an event');
  id(row.id, 'an event');
  integer(row.createdAt, 'createdAt', 0);
  text(row.connectionId, 'connectionId');
  if (row.sender !== 'client' && row.sender !== 'agent') {
    throw new Refusal('invalid_record', `sender must be "client" or "agent", not ${shown(row.sender)}`);
  }
  object(row.payload, 'payload');
  return row as EventDraft;
}

export function id(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '' || value === '__proto__') {
    throw new Refusal('invalid_record', `${what}: the id must be a text, neither empty nor "__proto__"`);
  }
  return value;
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Refusal('invalid_record', `expected an array, not ${shown(value)}`);
  return value;
}

export function integer(value: unknown, name: string, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new Refusal('invalid_record', `${name} must be a whole number from ${least}, not ${shown(value)}`);
  }
  return value;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('invalid_record', `${what} must be an object, not ${shown(value)}`);
  }
  return value as Record<string, unknown>;
}

function text(value: unknown, name: string): void {
  if (typeof value !== 'string')
    throw new Refusal('invalid_record', `${name} must be a text, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
