// The same turn through the TypeScript SDK from npm, with its driver in memory.
import { InMemorySessionPersistDriver, SandboxAgent } from 'sandbox-agent';

const [baseUrl, text] = process.argv.slice(2);
const latencies = [];

class Noting extends InMemorySessionPersistDriver {
  async insertEvent(sessionId, event) {
    await super.insertEvent(sessionId, event);
    const writtenAt = event.payload.params?.update?._meta?.writtenAt;
    if (writtenAt) latencies.push(performance.timeOrigin + performance.now() - writtenAt / 1000);
  }
}

const client = await SandboxAgent.connect({ baseUrl, persist: new Noting({ maxEventsPerSession: 100_000 }) });
const session = await client.createSession({ agent: 'mock', cwd: '/' });
await session.prompt([{ type: 'text', text }]);
while (latencies.length < Number(text.split(' ')[1])) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(JSON.stringify(latencies));
process.exit();
