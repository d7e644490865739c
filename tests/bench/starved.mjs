// What a full table of files costs: pricegate may open 160 files, and 400 clients want one each.
//
//   node tests/bench/starved.mjs [--seconds 10] [--json FILE]
//
// followers  upgrade, subscribe and stay; who is refused is back at once
// silent     connect and say nothing; who is thrown out is back at once
//
// Measured over the seconds: CPU time of the process and its lines of log; afterwards, when the clients
// have gone, whether and how soon a new one is served.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { startGateway } from '../support/gateway.js';
import { startHostiles } from '../support/hostile.js';
import { sleep, until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const FILES = 160;
const CLIENTS = 400;
const CPU_MOST = 5; // percent of a core
const LINES_MOST = 100;
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function starve(name, kind, seconds) {
  const instruments = Array.from({ length: 20 }, (_, i) => ({ symbol: `S${i}`, sources: [] }));
  const gateway = await startGateway({ instruments }, { files: FILES });
  try {
    await gateway.log('listening');
    const hostiles = startHostiles({ port: gateway.port, kinds: { [kind]: CLIENTS } });
    await sleep(1000); // the first rush is not the state that is measured
    const [cpu, lines, began] = [cpuSeconds(gateway.pid), gateway.logs.length, Date.now()];
    await sleep(1000 * seconds);
    const took = (Date.now() - began) / 1000;
    const found = {
      name,
      cpu_percent: (100 * (cpuSeconds(gateway.pid) - cpu)) / took,
      log_lines: gateway.logs.length + gateway.other.length - lines,
      connections: hostiles.counts[kind].connections,
      ended: hostiles.counts[kind].closed,
      seconds: took,
    };
    hostiles.stop();
    const over = Date.now();
    const late = await until(() => connectWs(gateway.wsUrl), 'a new client is served', 30_000);
    found.served_again_ms = Date.now() - over;
    late.terminate();
    return found;
  } finally {
    await gateway.stop();
  }
}

const { values } = parseArgs({ options: { seconds: { type: 'string' }, json: { type: 'string' } } });
const seconds = Number(values.seconds ?? 10);
const rows = [await starve('followers', 'deaf', seconds), await starve('silent', 'silent', seconds)];
console.log(`\n${FILES} files, ${CLIENTS} clients, ${seconds} s:\n`);
console.log('| clients | core | limit | log lines | limit | connections made | ended | a new client is served after | reached |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |');
for (const r of rows) {
  r.reached = r.cpu_percent < CPU_MOST && r.log_lines < LINES_MOST;
  console.log(`| ${r.name} | ${r.cpu_percent.toFixed(2)} % | < ${CPU_MOST} % | ${r.log_lines} | < ${LINES_MOST} | ${r.connections} | ${r.ended} | ${r.served_again_ms} ms | ${r.reached ? 'yes' : 'NO'} |`);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);
process.exit(rows.every((r) => r.reached) ? 0 : 1);
