// In a worker: both sides by turns, on databases of the same content. `base`, `ours`, `repeats` and the yardstick stand
// above this text. Times are in milliseconds, for one event or one page.
const { loadPyodide } = await import(base + 'bare/pyodide/pyodide.mjs');
const python = await loadPyodide({ indexURL: base + 'bare/pyodide/' });
const listed = await (await fetch(base + 'wheels/wheels.json')).json();
const wheel = (start) => base + 'wheels/' + listed.find(({ file }) => file.startsWith(start)).file;
await python.loadPackage(wheel('micropip'));
await python.pyimport('micropip').install(wheel('sandbox_agent_pyodide'));
python.runPython(ours);
const py = (name) => python.globals.get(name);

const SESSIONS = 100;
const EVENTS = 1_000; // of each session, and of the one that is alone in its database
const LONG = 100_000;
const LISTED = 20;

let made = 0;
function row(sessionId, eventIndex) {
  made += 1;
  const text = `word ${made} and some more of them`;
  const update = { sessionUpdate: 'agent_message_chunk', messageId: 'm1', content: { type: 'text', text } };
  const payload = { jsonrpc: '2.0', method: 'session/update', params: { sessionId: 'a', update } };
  const createdAt = 1_700_000_000_000 + made;
  return { id: crypto.randomUUID(), eventIndex, sessionId, createdAt, connectionId: 'c', sender: 'agent', payload };
}
const rows = (sessionId, count, first = 1) =>
  Array.from({ length: count }, (_, place) => row(sessionId, first + place));

async function stored(name, sessions, idOf = ({ id }) => id) {
  const yardstick = new Yardstick(await openLayout(name));
  for (const [id, events] of sessions) {
    const session = { id, agent: 'mock', agentSessionId: 'a', lastConnectionId: 'c', createdAt: 1 };
    for (let first = 1; first <= events; first += 10_000)
      await yardstick.put(
        session,
        rows(id, Math.min(10_000, events - first + 1), first).map((one) => ({ ...one, id: idOf(one) })),
      );
  }
  return yardstick;
}

const many = await stored('bench-many', Array.from({ length: SESSIONS }, (_, n) => [`s${n}`, EVENTS]));
const few = await stored('bench-few', [['s0', EVENTS]]);
const long = await stored('bench-long', [['s', LONG]]);
const writing = await stored('bench-write', []);

const samples = {};
const note = (name, time) => (samples[name] ??= []).push(time);

async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Both sides of one line, in an order that changes with the round. */
async function pair(round, first, second) {
  for (const side of round % 2 ? [second, first] : [first, second]) await side();
}

// Indexes go on and on, so that no insert meets a row of the one before.
let next = 1;
const fresh = (count) => rows('w', count, (next += count) - count);
const texts = (list) => JSON.stringify(list.map((one) => JSON.stringify(one)));

const insertEach = async (list) => {
  for (const one of list) await writing.insert([one]);
};
const places = (round, sessions) =>
  Array.from({ length: LISTED }, (_, n) => [`s${(n * 37 + round) % sessions}`, ((n * 7919 + round) % 9) * 100]);
const readPages = async (store, list) => {
  for (const [id, after] of list)
    if ((await store.page(id, after, 100)).length !== 100) throw new Error(`no page of ${id} after ${after}`);
};

async function round(number, keep) {
  const noted = keep ? note : () => {};
  await pair(
    number,
    async () => noted('insert_ours', (await py('insert_each')('bench-write', texts(fresh(100)))) / 100),
    async () => {
      const list = fresh(100);
      noted('insert_javascript', (await timed(() => insertEach(list))) / 100);
    },
  );
  await pair(
    number,
    async () => noted('together_ours', (await py('insert_together')('bench-write', texts(fresh(2000)))) / 2000),
    async () => {
      const list = fresh(2000);
      noted('together_javascript', (await timed(() => writing.insert(list))) / 2000);
    },
  );
  await pair(
    number,
    async () => noted('many_ours', (await py('insert_many')('bench-write', texts(fresh(2000)))) / 2000),
    async () => {
      const list = fresh(2000);
      noted('unchecked_javascript', (await timed(() => writing.insert(list, { checked: false }))) / 2000);
    },
  );
  const far = places(number, SESSIONS);
  await pair(
    number,
    async () => noted('page_ours', (await py('pages')('bench-many', JSON.stringify(far))) / LISTED),
    async () => noted('page_javascript', (await timed(() => readPages(many, far))) / LISTED),
  );
  await pair(
    number,
    async () => noted('page_of_few_ours', (await py('pages')('bench-few', JSON.stringify(places(number, 1)))) / LISTED),
    async () => noted('page_of_many_ours', (await py('pages')('bench-many', JSON.stringify(far))) / LISTED),
  );
  await pair(
    number,
    async () => noted('last_of_long_ours', (await py('last')('bench-long', 's', LISTED)) / LISTED),
    async () => noted('last_of_short_ours', (await py('last')('bench-few', 's0', LISTED)) / LISTED),
  );
}

await round(0, false); // warm
await round(1, false);
for (let number = 0; number < repeats; number += 1) await round(number, true);
for (let number = 0; number < Math.min(3, repeats); number += 1)
  note('page_of_everything_javascript', await timed(() => many.pageOfEverything('s50', 500, 100)));

// The same lines, with other ids in each round.
for (let number = 0; number < Math.min(3, repeats); number += 1) {
  const renamed = (side) => recording.replaceAll('"bench-import', `"bench-import-${side}-${number}`).replaceAll(/"id":"(?=[0-9a-f]{8}-)/g, `$&${side}${number}-`);
  await pair(
    number,
    async () => note('import_ours', (await py('import_file')('bench-write', new Blob([renamed('p')]))) / imported),
    async () => {
      const [session, ...list] = renamed('j').trim().split('\n').map((line) => JSON.parse(line));
      for (const one of [session, ...list]) delete one.type;
      note('import_javascript', (await timed(() => writing.put(session, list))) / imported);
    },
  );
}

// A page at places of chance, of a session that is as long as sessions come, and of a shorter one. Ids are as our SDK
// makes them, one like the one before, so that neighbours lie together in the store; upstream's are random.
const LENGTHS = { million: 1_000_000, ten_thousand: 10_000 };
const idOf = ({ eventIndex }) => `sdk-mock-4f9d0c2be7a14a6c8d31:${eventIndex}`;
for (const [name, events] of Object.entries(LENGTHS)) await stored(`bench-${name}`, [['s', events]], idOf);
const anywhere = (events) =>
  Array.from({ length: LISTED }, () => ['s', Math.floor(Math.random() * (events - 100))]);
for (let number = -2; number < repeats; number += 1) {
  const pages = async (name) => {
    const took = await py('pages')(`bench-${name}`, JSON.stringify(anywhere(LENGTHS[name])));
    if (number >= 0) note(`page_of_${name}_ours`, took / LISTED); // the first rounds warm up
  };
  await pair(
    number,
    () => pages('million'),
    () => pages('ten_thousand'),
  );
}
postMessage(samples);
