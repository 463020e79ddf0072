// An empty page whose worker does nothing but load Pyodide. `took` is the time from navigation until it runs.
const worker = new Worker('worker.js', { type: 'module' });
globalThis.took = new Promise((done, failed) => {
  worker.onmessage = () => done(performance.now());
  worker.onerror = ({ message }) => failed(new Error(message));
});
