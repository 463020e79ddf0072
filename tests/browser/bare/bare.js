// A page with Pyodide and the package. With `?plain` it does what any Pyodide page does: loads Pyodide, installs the wheel
// from a URL. Without it, it starts from the snapshot of the page that is tested, and has the wheel's files beside, which
// takes a third of the time.
const wheels = new URL("../wheels/", import.meta.url);

async function start() {
  return new URLSearchParams(location.search).has("plain") ? await startPlainly() : await startFromSnapshot();
}

async function startPlainly() {
  const { loadPyodide } = await import("./pyodide/pyodide.mjs");
  const python = await loadPyodide();
  await python.loadPackage(await wheel("micropip"));
  await python.pyimport("micropip").install(await wheel("sandbox_agent_pyodide"));
  return python;
}

async function startFromSnapshot() {
  const boot = await (await fetch("../boot.json")).json();
  const [{ loadPyodide }, { default: createPyodideModule }, memory, files] = await Promise.all([
    import("./pyodide/pyodide.mjs"),
    import("./pyodide/pyodide.asm.mjs"),
    unpacked(boot.snapshot),
    wheel("sandbox_agent_pyodide").then(fetch).then((answer) => answer.arrayBuffer()),
  ]);
  const python = await loadPyodide({
    _loadSnapshot: memory,
    lockFileContents: { info: boot.snapshot.info, packages: {} },
    createPyodideModule: async (...settings) => {
      const module = await createPyodideModule(...settings);
      if (module.HEAP8.length < memory.length) module.growMemory(memory.length);
      return module;
    },
  });
  python.unpackArchive(new Uint8Array(files), "wheel");
  return python;
}

async function unpacked({ file }) {
  const packed = (await fetch(`../${file}`)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

async function wheel(name) {
  const listed = await (await fetch(new URL("wheels.json", wheels))).json();
  return new URL(listed.find(({ file }) => file.startsWith(name)).file, wheels).href;
}

const starting = start();

async function evaluate(code) {
  const python = await starting;
  const names = python.toPy({ __name__: "__main__" });
  try {
    return (await python.runPythonAsync(code, { globals: names })) ?? null;
  } finally {
    names.destroy();
  }
}

// Run Python, which may await at the top, in names of its own. The outcome is left in `outcome` for the test to wait
// for, with a time limit: a Pyodide that has died settles no promise.
globalThis.beginPython = (code) => {
  globalThis.outcome = undefined;
  evaluate(code).then(
    (value) => (globalThis.outcome = { value }),
    (error) => (globalThis.outcome = { error: error.message }),
  );
};
