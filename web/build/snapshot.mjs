// Starts Python at build time, so that the page need not: a memory snapshot of Pyodide with the app imported.
//
//   build/site/python/snapshot-<hash>.bin   the memory, compressed with gzip
//   build/site/wheels/pyodide-lock.json     for other Pyodide pages: what micropip installed, with its hashes
//   build/site/boot.json                    what the page fetches of all this for each way to start (see web/start/)
//
// Made anew when a wheel, Pyodide or this file has changed. Run by `make build`, after wheels.py. The name of the
// file in dist/ does not end in .gz, since some servers would then say that it is to be unpacked on the way.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { loadPyodide, version } from 'pyodide';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SITE = join(ROOT, 'build/site');
const WHEELS = join(SITE, 'wheels');
const DEMO = join(ROOT, 'web/public/demo');
const PYODIDE = join(ROOT, 'node_modules/pyodide/');

/** In the page Pyodide's files stand in a folder of their version, so that no cache ever mixes two versions. */
const PYODIDE_IN_PAGE = `pyodide/v${version}/`;

const quiet = { messageCallback: () => {}, errorCallback: (text) => console.error(text) };
const read = (path) => new Uint8Array(readFileSync(path)); // Pyodide takes no Buffer
const integrity = (path) => `sha256-${hash(read(path), 'base64')}`;
const hash = (bytes, encoding) => createHash('sha256').update(bytes).digest(encoding);

async function main() {
  const wheels = JSON.parse(readFileSync(join(WHEELS, 'wheels.json'), 'utf8')).map(({ file }) => file);
  const key = keyOf(wheels);
  const cache = join(ROOT, 'build/snapshot', key);
  if (!existsSync(join(cache, 'boot.json'))) {
    rmSync(join(ROOT, 'build/snapshot'), { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const lock = await frozenLock(wheels);
    const memory = await snapshot(wheels.filter((file) => !file.startsWith('micropip-')));
    const compressed = gzipSync(memory, { level: 9 });
    const file = `snapshot-${hash(compressed, 'hex').slice(0, 16)}.bin`;
    writeFileSync(join(cache, 'pyodide-lock.json'), lock);
    writeFileSync(join(cache, file), compressed);
    writeFileSync(join(cache, 'boot.json'), describe(wheels, JSON.parse(lock), file, compressed, memory));
  }
  publish(cache, wheels);
}

/** What a start fetches with fetch(), by the way it takes. Pyodide's modules are imported: they cannot be counted. */
function describe(wheels, { info }, file, compressed, memory) {
  const core = Object.fromEntries(
    ['pyodide.asm.wasm', 'python_stdlib.zip'].map((name) => [
      PYODIDE_IN_PAGE + name,
      statSync(PYODIDE + name).size,
    ]),
  );
  const lock = statSync(join(PYODIDE, 'pyodide-lock.json')).size;
  return JSON.stringify(
    {
      pyodide: PYODIDE_IN_PAGE,
      snapshot: {
        files: { [`python/${file}`]: compressed.length, ...core },
        file: `python/${file}`,
        memory: memory.length,
        sha256: hash(compressed, 'base64'),
        info,
      },
      plain: {
        files: {
          [`${PYODIDE_IN_PAGE}pyodide-lock.json`]: lock,
          ...core,
          ...Object.fromEntries(wheels.map((name) => [`wheels/${name}`, statSync(join(WHEELS, name)).size])),
        },
        wheels: wheels.map((name) => `wheels/${name}`),
      },
    },
    null,
    2,
  );
}

/** Of the files whose names stay while their contents change. */
function hashes(wheels) {
  return Object.fromEntries([
    ...wheels.map((name) => [`wheels/${name}`, integrity(join(WHEELS, name))]),
    ...readdirSync(DEMO)
      .sort()
      .map((name) => [`demo/${name}`, integrity(join(DEMO, name))]),
  ]);
}

/** Install everything from the wheels, with micropip as a page does, and have it written down. */
async function frozenLock([micropipWheel, ...wheels]) {
  const py = await loadPyodide({ indexURL: PYODIDE });
  await py.loadPackage(join(WHEELS, micropipWheel), quiet);
  const micropip = py.pyimport('micropip');
  for (const wheel of wheels) {
    py.FS.writeFile(`/${wheel}`, read(join(WHEELS, wheel)));
    await micropip.install(`emfs:/${wheel}`); // what it requires must be there already
  }
  const { info, packages } = JSON.parse(micropip.freeze());
  const ours = Object.entries(packages).filter(
    ([name, { file_name }]) => name === 'micropip' || file_name.startsWith('emfs:'),
  );
  for (const [name, one] of ours) {
    one.file_name = one.file_name.split('/').at(-1);
    if (![micropipWheel, ...wheels].includes(one.file_name)) throw new Error(`wheels.txt lacks ${name}`);
    one.sha256 = hash(read(join(WHEELS, one.file_name)), 'hex');
  }
  const others = Object.values(packages).filter(({ file_name }) => file_name.startsWith('http'));
  if (others.length) throw new Error(`wheels.txt lacks ${others.map(({ name }) => name)}`);
  return `${JSON.stringify({ info, packages: Object.fromEntries(ours) }, null, 2)}\n`;
}

/** The memory of a Python that has imported the app. micropip does not run in it: what it leaves cannot be frozen. */
async function snapshot(wheels) {
  const py = await loadPyodide({
    _makeSnapshot: true,
    _sysExecutable: 'python',
    args: ['-OO'], // no docstrings, which nobody reads there, and no assertions: half a megabyte less to fetch
    indexURL: PYODIDE,
  });
  for (const wheel of wheels) py.unpackArchive(read(join(WHEELS, wheel)), 'wheel');
  py.runPython('import gc, pyapp.worker\ngc.collect()\ngc.freeze()');
  clearFreeMemory(py._module);
  const memory = py.makeMemorySnapshot();
  refuseTracesOf(memory, [ROOT.slice(0, -1), `${homedir()}/`, hostname(), process.execPath]);
  return memory;
}

/** What was freed still holds what was in it: zeros compress better, by a tenth of the whole. */
function clearFreeMemory(module) {
  const end = module.HEAPU8.length;
  const top = endOfUse(module);
  const held = [];
  for (let size = 1 << 18; size >= 16; size = size > 512 ? size >> 1 : size - 16) {
    let address = module._malloc(size);
    while (address && address < top) {
      module.HEAPU8.fill(0, address, address + size);
      held.push(address);
      address = module._malloc(size);
    }
    module._free(address);
  }
  for (const address of held) module._free(address);
  if (module.HEAPU8.length !== end) throw new Error('clearing the memory has made it larger');
}

/**
 * What lies behind is in no use: there, blocks follow one another, while in a gap there is room for one by chance. They
 * are cleared, too: it may have been in use, and was given back.
 */
function endOfUse(module) {
  const size = 1 << 20;
  const blocks = Array.from({ length: 4 }, () => module._malloc(size)).sort((a, b) => b - a);
  let top = blocks[0];
  for (const block of blocks) if (top - block < size + 64) top = block;
  for (const block of blocks) {
    module.HEAPU8.fill(0, block, block + size);
    module._free(block);
  }
  return top;
}

/** Nothing of the machine that builds goes out with the page. What is in Pyodide itself does not come from here. */
function refuseTracesOf(memory, texts) {
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  const pyodide = readFileSync(`${PYODIDE}pyodide.asm.wasm`);
  const telling = texts.filter((text) => text.length > 5 && !pyodide.includes(text)); // a shorter one is there by chance
  for (const text of telling) if (bytes.includes(text)) throw new Error(`the snapshot contains ${text}`);
}

function keyOf(wheels) {
  const digest = createHash('sha256').update(version);
  const files = [fileURLToPath(import.meta.url), ...wheels.map((file) => join(WHEELS, file))];
  for (const file of files) digest.update(basename(file)).update(readFileSync(file));
  return digest.digest('hex').slice(0, 32);
}

function publish(cache, wheels) {
  rmSync(join(SITE, 'python'), { recursive: true, force: true });
  mkdirSync(join(SITE, 'python'));
  for (const name of readdirSync(cache)) {
    const folder = name.startsWith('snapshot-') ? 'python' : name === 'pyodide-lock.json' ? 'wheels' : '.';
    writeFileSync(join(SITE, folder, name), readFileSync(join(cache, name)));
  }
  const boot = JSON.parse(readFileSync(join(cache, 'boot.json'), 'utf8'));
  writeFileSync(join(SITE, 'boot.json'), JSON.stringify({ ...boot, hashes: hashes(wheels) }, null, 2));
}

await main().catch((error) => {
  // Pyodide's own errors quote its source, a line of a million characters.
  console.error(`The snapshot could not be made: ${String(error?.message ?? error).slice(0, 2000)}`);
  process.exit(1);
});
process.exit(0); // Pyodide leaves handles open
