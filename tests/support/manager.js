// A service manager, as far as the program sees one: a datagram socket named in its environment, on
// which it says how it is. Node has no such sockets; Debian's smallest perl does.
//
//   const manager = await startManager(); startGateway(config, {env: manager.env});
//   await manager.hears('READY=1');   // in their order: looks only behind what was heard before

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { temporaryFolder, until } from './wait.js';

const LISTEN = `
  use Socket;
  my $s;
  socket($s, AF_UNIX, SOCK_DGRAM, 0) && bind($s, pack_sockaddr_un($ARGV[0])) or die "bind: $!";
  $| = 1;
  print "listening\\n";
  while (defined recv($s, my $said, 4096, 0)) { $said =~ s/\\n/ /g; print "$said\\n" }`;

export async function startManager() {
  const folder = temporaryFolder();
  const socket = join(folder.path, 'notify');
  const child = spawn('perl', ['-e', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const heard = [];
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  lines.on('line', (line) => heard.push(line));
  let from = 0;
  return {
    env: { NOTIFY_SOCKET: socket },
    heard,
    /** Waits for a message that matches, behind the last one waited for. */
    async hears(pattern, ms = 10_000) {
      const at = await until(
        () => (heard.findIndex((said, i) => i >= from && said.match(pattern)) + 1),
        `the manager hears ${pattern} (heard: ${heard.slice(from).join(', ') || 'nothing'})`, ms,
      );
      from = at;
      return heard[at - 1];
    },
    stop() {
      child.kill('SIGKILL');
      folder.remove();
    },
  };
}
