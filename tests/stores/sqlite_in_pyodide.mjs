// Runs the Python of test_sqlite_pyodide.py in Pyodide: node sqlite_in_pyodide.mjs PACKAGE FOLDER < code
//
// PACKAGE is the folder that has pyapp in it. The files of FOLDER are written into Pyodide's own file system, as a page
// does with what a user drops, and the code finds them in /dropped.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPyodide } from 'pyodide';

const [source, folder] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree('/package');
python.FS.mount(python.FS.filesystems.NODEFS, { root: source }, '/package');
python.FS.mkdirTree('/dropped');
for (const name of readdirSync(folder)) {
  python.FS.writeFile(`/dropped/${name}`, new Uint8Array(readFileSync(join(folder, name))));
}
python.runPython('import sys; sys.path.insert(0, "/package")');
console.log(await python.runPythonAsync(readFileSync(0, 'utf8')));
