// What the tests do inside the page: the SDK from npm, with the page's driver as its `persist`. The tests call the
// exported functions by name; what they give back crosses to Python as JSON.
import { type PermissionReply, SandboxAgent, type SessionPersistDriver } from 'sandbox-agent';
import type { SessionEvent, SessionRecord } from '../../../web/public/pyapp';

let client: SandboxAgent;
let persist: SessionPersistDriver;
let resuming: Promise<void>;
const refusals: string[] = [];

/** Connect the SDK to a server, as a page would do it. */
export async function connect(baseUrl: string, databaseName: string): Promise<void> {
  const { openDriver } = await globalThis.pyapp;
  persist = await openDriver({ databaseName });
  client = await SandboxAgent.connect({ baseUrl, persist });
}

/** The same, keeping the messages of refused events for `refused`. The SDK sees the driver's own errors. */
export async function connectNotingRefusals(baseUrl: string, databaseName: string): Promise<void> {
  const { openDriver } = await globalThis.pyapp;
  const driver = await openDriver({ databaseName });
  const insertEvent: SessionPersistDriver['insertEvent'] = async (sessionId, event) => {
    try {
      await driver.insertEvent(sessionId, event);
    } catch (error) {
      refusals.push(String(error));
      throw error;
    }
  };
  persist = { ...driver, insertEvent };
  client = await SandboxAgent.connect({ baseUrl, persist });
}

export function refused(): string[] {
  return refusals;
}

/** A new session of the scripted agent; gives its id. */
export async function create(): Promise<string> {
  const session = await client.createSession({ agent: 'mock', cwd: '/' });
  return session.id;
}

/** Go on with a stored session; resolves when the request and the answer that this takes are stored. */
export async function resume(id: string): Promise<void> {
  const stored = whenStored(id, ({ payload }) => 'result' in payload);
  await client.resumeSession(id);
  await stored;
}

/** One turn; gives the reason why it stopped, once all of its events are stored. */
export async function prompt(id: string, text: string, reply: PermissionReply = 'once'): Promise<string> {
  const session = await client.resumeSession(id);
  const forget = session.onPermissionRequest((request) => void session.respondPermission(request.id, reply));
  const answered = whenStored(id, ({ payload }) => 'result' in payload && has(payload.result, 'stopReason'));
  const toolEnded = whenStored(id, ({ payload }) =>
    /"status":"(completed|failed)"/.test(JSON.stringify(payload)),
  );
  const { stopReason } = await session.prompt([{ type: 'text', text }]);
  await answered;
  // The answer comes by another way than the updates, and may overtake the last of them.
  if (stopReason !== 'cancelled') await toolEnded;
  forget();
  return stopReason;
}

/** A turn that waits, ended by destroying the session; gives the reason why it stopped. */
export async function cancel(id: string): Promise<string> {
  const said = whenStored(id, ({ payload }) => JSON.stringify(payload).includes('You said: wait'));
  const turn = prompt(id, 'wait');
  await said;
  await client.destroySession(id);
  return turn;
}

export async function setMode(id: string, mode: string): Promise<void> {
  const stored = whenStored(id, ({ payload }) => 'result' in payload);
  const session = await client.resumeSession(id);
  await session.setMode(mode);
  await stored;
}

/** Go on with a session while another tab does the same; `resumed` tells when it has come to its end. */
export function beginToResume(id: string): void {
  resuming = resume(id);
  resuming.catch(() => {}); // `resumed` gives it to the test
}

export function resumed(): Promise<void> {
  return resuming;
}

/** What the SDK says of a session. */
export async function record(id: string): Promise<SessionRecord | undefined> {
  return (await client.getSession(id))?.toRecord();
}

/** A session's events as the SDK reads them, a few at a time. */
export async function events(id: string): Promise<SessionEvent[]> {
  const found: SessionEvent[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.getEvents({ sessionId: id, limit: 4, ...(cursor && { cursor }) });
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor);
  return found;
}

/** All rows of one of the database's object stores, read without any of our code. */
export async function rows(databaseName: string, store: 'sessions' | 'events'): Promise<unknown[]> {
  const database = await settled(indexedDB.open(databaseName));
  try {
    return await settled(database.transaction(store).objectStore(store).getAll());
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves once the SDK has stored an event of this kind: it stores behind the back of its own promises. */
function whenStored(id: string, isWanted: (event: SessionEvent) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const forget = client.onSessionEvent(id, (event) => {
      if (!isWanted(event)) return;
      forget();
      resolve();
    });
  });
}

function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && key in value;
}
