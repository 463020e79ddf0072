// What is refused before rivetkit (2.0.33) sees it: it makes an actor of any name, and its process ends when one is
// started whose name it does not know. The id of an actor is the name of its file, so it is no path either.
import type { Context } from 'hono';

const ACTORS = /^\/actors\/?$/;
const ID = /^[0-9a-f]{16}$/;
const IN_PATH = /^\/gateway\/+([^/@]+)/;
const IN_PROTOCOL = /^rivet_actor\.(.*)$/;

/** Asks rivetkit. */
type Ask = (request: Request) => Response | Promise<Response>;

export class Guard {
  readonly #good = new Set<string>(); // actors that were looked up; an id stands for one name and key for ever

  constructor(
    private readonly names: string[],
    private readonly ask: Ask,
  ) {}

  /** The refusal of a request, or null for one that rivetkit may see. */
  async refusal(c: Context): Promise<Response | null> {
    for (const name of await askedNames(c)) if (!this.names.includes(name)) return this.#unknownName(c, name);
    for (const id of listedIds(c)) if (!ID.test(id)) return unknownActor(c);
    for (const id of askedIds(c)) if (!(await this.#isGood(id))) return unknownActor(c);
    return null;
  }

  async #isGood(id: string): Promise<boolean> {
    if (this.#good.has(id)) return true;
    if (!ID.test(id)) return false;
    const answer = await this.ask(new Request(`http://rivet/actors?actor_ids=${id}`));
    if (!answer.ok) return true; // it is there, and is going to sleep or cannot be read: rivetkit says so
    const { actors } = (await answer.json()) as { actors: Array<{ name: string }> };
    const good = actors.length === 1 && this.names.includes(actors[0]!.name);
    if (good) this.#good.add(id);
    return good;
  }

  #unknownName(c: Context, name: string): Response {
    const message = `this Rivet has no actor named ${JSON.stringify(name.slice(0, 100))}, only ${this.names.join(' and ')}`;
    return refuse(c, 404, { group: 'actor', code: 'unknown_name', message });
  }
}

/** A refusal as Rivet's clients read it. */
export function refuse(
  c: Context,
  status: 403 | 404,
  told: { group: string; code: string; message: string },
): Response {
  c.header('Access-Control-Allow-Origin', '*'); // so that a page is told why
  return c.json(told, status);
}

function unknownActor(c: Context): Response {
  return refuse(c, 404, { group: 'actor', code: 'not_found', message: 'this Rivet has no such actor' });
}

/** The names of actors in a question for actors, or in an order to make one. */
async function askedNames(c: Context): Promise<string[]> {
  if (!ACTORS.test(c.req.path)) return [];
  const names = c.req.queries('name') ?? [];
  if (c.req.method === 'PUT' || c.req.method === 'POST') {
    const wanted: unknown = await c.req.raw
      .clone()
      .json()
      .catch(() => null); // which rivetkit refuses
    const name = (wanted as { name?: unknown } | null)?.name;
    if (typeof name === 'string') names.push(name);
  }
  return names;
}

/** The ids of actors wherever rivetkit looks for them: in the path, in a header, or in a WebSocket's protocols. */
function askedIds(c: Context): string[] {
  const protocols = (c.req.header('sec-websocket-protocol') ?? '').split(',').map((one) => one.trim());
  const inProtocols = protocols.map((one) => IN_PROTOCOL.exec(one)?.[1]);
  const ids = [IN_PATH.exec(c.req.path)?.[1], c.req.header('x-rivet-actor'), ...inProtocols];
  return ids.filter((id) => id !== undefined && id !== '') as string[];
}

/** The ids in a question which of these actors there are. */
function listedIds(c: Context): string[] {
  const ids = (c.req.query('actor_ids') ?? '').split(',').map((id) => id.trim());
  return ids.filter((id) => id !== '');
}
