// The wall clock of one program, set at will by libfaketime (Debian's package faketime). Its
// monotonic clock stays real, as it does when somebody sets the time of a machine.
//
//   const clock = fakeClock();                       // clock.skip: why it can't be had
//   await startGateway(config, { env: clock.env });
//   clock.set(86_400);                               // from now on a day ahead of the real time

import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sanitized } from './gateway.js';
import { temporaryFolder } from './wait.js';

function findLibrary() {
  const folders = ['/usr/lib', '/usr/lib64', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)];
  return folders.map((folder) => join(folder, 'faketime/libfaketime.so.1')).find(existsSync);
}

const library = findLibrary();

/** Why a test of the clock can't run here, or false. */
export const noFakeClock = !library
  ? 'libfaketime is not installed'
  : sanitized && 'the sanitizer wants no other library before its own';

export function fakeClock(seconds = 0) {
  const folder = temporaryFolder();
  const file = join(folder.path, 'offset');
  let now = 0;
  const clock = {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set(offset) {
      now = offset;
      writeFileSync(`${file}.new`, `${offset < 0 ? '' : '+'}${offset}\n`);
      renameSync(`${file}.new`, file);
    },
    /** What the program's clock says, in ms. */
    now: () => Date.now() + now * 1000,
    remove: () => folder.remove(),
  };
  clock.set(seconds);
  return clock;
}
