// A network of its own that can be cut: a namespace at the other end of a cable, with a firewall.
//
//   const network = makeNetwork();       { missing: 'why not' } where it is not permitted
//   startRedis({ wrap: network.wrap, args: ['--bind', network.address, ...] })
//   network.drop();      packets vanish, both ways        network.lose(0.3);   some of them
//   network.reset();     TCP is answered with a reset     network.heal();
//   network.remove();
//
// Needs root, iproute2 and iptables. Nothing of the machine's own network is touched but for one more
// interface (198.18.0.0/15 is set aside for tests).

import { execFileSync } from 'node:child_process';

let made = 0;

const run = (program, ...args) => execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });

export function makeNetwork() {
  const n = made++;
  const name = `pg-${process.pid}-${n}`;
  const inside = (...args) => run('ip', 'netns', 'exec', name, ...args);
  const firewall = (...args) => inside('iptables', '-w', ...args);
  const cable = `pg${process.pid}x${n}`;
  const address = (last) => `198.18.${process.pid % 256}.${4 * (n % 64) + last}`;

  const network = {
    name,
    address: address(2),
    wrap: ['ip', 'netns', 'exec', name],
    drop() {
      firewall('-I', 'INPUT', '-j', 'DROP');
      firewall('-I', 'OUTPUT', '-j', 'DROP');
    },
    reset: () => firewall('-I', 'INPUT', '-p', 'tcp', '-j', 'REJECT', '--reject-with', 'tcp-reset'),
    lose: (share) =>
      firewall('-I', 'INPUT', '-m', 'statistic', '--mode', 'random', '--probability', `${share}`, '-j', 'DROP'),
    heal: () => firewall('-F'),
    remove() {
      process.off('exit', network.remove);
      try {
        run('ip', 'netns', 'del', name); // and the cable with it
      } catch {
        // never made, or gone
      }
    },
  };

  process.on('exit', network.remove);
  try {
    run('ip', 'netns', 'add', name);
    run('ip', 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('ip', 'address', 'add', `${address(1)}/30`, 'dev', cable);
    run('ip', 'link', 'set', cable, 'up');
    inside('ip', 'address', 'add', `${address(2)}/30`, 'dev', 'eth0');
    inside('ip', 'link', 'set', 'eth0', 'up');
    inside('ip', 'link', 'set', 'lo', 'up');
    network.heal();
  } catch (error) {
    network.remove();
    return { missing: `no network of its own: ${(error.stderr?.toString() || error.message).trim().split('\n')[0]}` };
  }
  return network;
}
