// BARE, the form in which rivetkit keeps states, for states of more than 32 MiB: rivetkit takes the library's usual limit,
// and has no option for another one. npm puts this package where rivetkit looks for the library.
import { Config as usual } from 'bare-ts';

export * from 'bare-ts';

/** Bytes. From 1 GiB on the library's own sums overflow, since it makes a buffer twice as large as it has to be. */
const LARGEST = 2 ** 30 - 1;

export function Config(given) {
  return usual({ maxBufferLength: LARGEST, ...given });
}
