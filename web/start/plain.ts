// The plain way, for wherever the snapshot cannot be used: Python starts, and micropip installs the app's wheels.
import boot from 'virtual:boot';
import type { PyodideAPI } from 'pyodide';
import type { Report, Way } from './start';

type Config = NonNullable<Parameters<Way['loadPyodide']>[0]>;

export async function plainly({ at, mark, ...pyodide }: Way, report: Report): Promise<PyodideAPI> {
  const config = { indexURL: at(boot.pyodide), createPyodideModule: pyodide.createPyodideModule };
  const py = await pyodide.loadPyodide(config as unknown as Config);
  mark('Python loaded');
  report.step('Installing');
  await install(py, Object.keys(boot.plain.sha256).map(at));
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
