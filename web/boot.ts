// What the page shows before Python can: how far the start is, and what to do when it fails.
import { startAgain } from './offline';
import type { BootFailure } from './protocol';

/** Real progress: bytes that have arrived, of the bytes that the build has counted. */
export function showProgress(loaded: number, total: number): void {
  const bar = document.querySelector<HTMLProgressElement>('#boot progress');
  if (bar) {
    bar.max = total;
    bar.value = loaded;
  }
  say(`Loading Python — ${megabytes(loaded)} of ${megabytes(total)} MB`);
}

/** A step after the bytes, whose length nobody knows. */
export function showStep(text: string): void {
  document.querySelector('#boot progress')?.removeAttribute('value');
  say(text);
}

/** Python shows the page from now on. */
export function endBoot(): void {
  document.getElementById('boot')?.remove();
}

/** Say what failed and what to do, with a button that tries again. Nothing else happens after this. */
export function showFailure(failure: BootFailure): void {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Try again';
  button.addEventListener('click', () => void startAgain());
  const advice = failure.kind === 'fetch' && !navigator.onLine ? OFFLINE : ADVICE[failure.kind];
  alertUser(`${failure.text} ${advice}`, button);
  document.querySelector('#boot progress')?.remove();
  say('Python could not be started.');
}

/** What the browser lacks, or nothing. */
export function missing(): BootFailure | undefined {
  if (typeof WebAssembly !== 'object') return unsupported('WebAssembly');
  if (typeof Worker !== 'function') return unsupported('web workers');
  return undefined;
}

/** An error for the user, read out at once by screen readers. */
export function alertUser(text: string, ...more: Node[]): void {
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  document.getElementById('alert')?.replaceChildren(paragraph, ...more);
}

const OFFLINE = 'This computer is offline: connect it, then try again. What is stored here is kept.';
const ADVICE: Record<BootFailure['kind'], string> = {
  fetch:
    'Check the connection, then try again. On a site of your own, see that the whole folder was uploaded.',
  python: 'Try again; if it fails again, report it with this message. What is stored here is kept.',
  unsupported: 'Use a current Chrome, Edge, Firefox or Safari.',
  worker: 'Try again; if it fails again, use a current Chrome, Edge, Firefox or Safari.',
};

function unsupported(what: string): BootFailure {
  return { kind: 'unsupported', text: `This browser has no ${what}, in which Python runs.` };
}

function say(text: string): void {
  const line = document.getElementById('boot-text');
  if (line) line.textContent = text;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
