// Starts Python with the files of the built site, and connects main.py with the page.
//
// Everything comes from the site: Pyodide from the folder that boot.json names, the wheel by the lock file beside it,
// checked by its hash. A page that does more than this one runs Python in a worker, so that it never stands still.
const site = new URL('../', import.meta.url);
const server = new URLSearchParams(location.search).get('server') ?? 'http://127.0.0.1:2468';
const [form, status, list] = ['form', 'p', 'ol'].map((name) => document.querySelector(name));

function show(index, text) {
  const line = document.createElement('li');
  line.value = index;
  line.textContent = text; // never as HTML: it is what an agent says
  list.append(line);
}

async function startPython() {
  const { pyodide } = await (await fetch(new URL('boot.json', site))).json();
  const indexURL = new URL(pyodide, site).href;
  const [{ loadPyodide }, { default: createPyodideModule }] = await Promise.all([
    import(`${indexURL}pyodide.js`),
    import(`${indexURL}pyodide.asm.js`),
  ]);
  const lockFileURL = new URL('wheels/pyodide-lock.json', site).href;
  const python = await loadPyodide({ indexURL, lockFileURL, createPyodideModule });
  await python.loadPackage('sandbox-agent-pyodide', { checkIntegrity: true });
  await python.runPythonAsync(await (await fetch(new URL('main.py', import.meta.url))).text());
  return python;
}

try {
  const python = await startPython();
  const prompt = await python.globals.get('begin')(server, show);
  status.textContent = 'Ready';
  form.querySelector('button').disabled = false;
  form.onsubmit = async (event) => {
    event.preventDefault();
    status.textContent = 'The agent works…';
    try {
      status.textContent = `The turn has ended: ${await prompt(form.prompt.value)}`;
    } catch (error) {
      status.textContent = error.message;
    }
  };
} catch (error) {
  status.textContent = error.message;
}
