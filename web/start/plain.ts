// The plain way, for wherever the snapshot cannot be used: Python starts, and micropip installs the app's wheels.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Options, Report, Way } from './way';

export async function plainly({ at, mark, pyodide }: Way, report: Report): Promise<PyodideAPI> {
  const { loadPyodide, createPyodideModule } = await pyodide;
  const py = await loadPyodide({ indexURL: at(boot.pyodide), createPyodideModule } as unknown as Options);
  mark('Python loaded');
  report.step('Installing');
  await install(py, boot.plain.wheels.map(at));
  mark('Packages installed');
  return py;
}

/** micropip, the first of the wheels, installs the others from their addresses; no package index is asked. */
async function install(py: PyodideAPI, [micropip, ...wheels]: string[]): Promise<void> {
  const quiet = { messageCallback: () => {}, errorCallback: () => {} };
  if (micropip) await py.loadPackage(micropip, quiet);
  const addresses = py.toPy(wheels);
  await py.pyimport('micropip').install.callKwargs(addresses, { deps: false });
  addresses.destroy();
}
