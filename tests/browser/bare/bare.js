// What any Pyodide page does: load Pyodide, install the wheel from a URL, run Python.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const wheels = new URL("../wheels/", import.meta.url);

async function start() {
  const python = await loadPyodide();
  const listed = await (await fetch(new URL("wheels.json", wheels))).json();
  const url = (start) => new URL(listed.find(({ file }) => file.startsWith(start)).file, wheels).href;
  await python.loadPackage(url("micropip"));
  await python.pyimport("micropip").install(url("sandbox_agent_pyodide"));
  return python;
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
