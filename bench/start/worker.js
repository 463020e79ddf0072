// The same files as the page's own, from the same folder.
const { pyodide } = await (await fetch('../boot.json')).json();
const base = new URL(`../${pyodide}`, location.href).href;
const { loadPyodide } = await import(`${base}pyodide.js`);
const { default: createPyodideModule } = await import(`${base}pyodide.asm.js`);
await loadPyodide({ indexURL: base, createPyodideModule });
postMessage('ready');
