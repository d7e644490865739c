// Where the time goes: which system calls a server makes, how its time splits between user and
// kernel, and in which of its own functions it is spent.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { within } from '../support/wait.js';

const CALLS = ['sendto', 'sendmsg', 'write', 'writev', 'recvfrom', 'read', 'epoll_ctl', 'epoll_wait',
  'epoll_pwait', 'ioctl', 'futex'];

const watchers = new Set();
process.on('exit', () => watchers.forEach((child) => child.kill('SIGINT')));

/** Watches for some seconds; what the watcher said on stderr. */
async function watch(command, args, ms) {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  watchers.add(child);
  let text = '';
  child.stderr.on('data', (bytes) => (text += bytes));
  const ended = new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  try {
    await within(ended, `${command} ends`, ms + 30_000);
  } finally {
    child.kill('SIGKILL');
    watchers.delete(child);
  }
  return text;
}

const installed = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** perf stat counts without changing what it counts; strace makes each call so slow that messages
 *  pile up and leave together, so it is used only where perf may not. */
async function countCalls(pid, seconds) {
  const wait = ['--', 'sleep', String(seconds)];
  if (installed('perf')) {
    const events = ['raw_syscalls:sys_enter', ...CALLS.map((name) => `syscalls:sys_enter_${name}`)];
    const text = await watch('perf', ['stat', '-x', ';', '-e', events.join(','), '-p', String(pid), ...wait], 1000 * seconds);
    const found = [...text.matchAll(/^(\d+);[^;]*;\w+:sys_enter_?(\w*)/gm)];
    const by_name = Object.fromEntries(found.map((m) => [m[2] || 'all', Number(m[1])]));
    if (by_name.all > 0) return { by: 'perf', per_s: by_name.all / seconds, by_name };
  }
  if (!installed('strace')) return { missing: 'system calls: neither perf (package linux-perf, as root) nor strace can count them' };
  const text = await watch('timeout', ['-s', 'INT', String(seconds), 'strace', '-f', '-c', '-p', String(pid)], 1000 * seconds);
  const found = [...text.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/gm)];
  const by_name = Object.fromEntries(found.filter((m) => m[2] !== 'total').map((m) => [m[2], Number(m[1])]));
  const all = Object.values(by_name).reduce((a, b) => a + b, 0);
  if (all === 0) return { missing: `system calls: strace may not attach: ${text.trim().split('\n')[0]}` };
  return { by: 'strace, which slows them down', per_s: all / seconds, by_name: { all, ...by_name } };
}

/** Cycles where the machine counts them; samples of the CPU clock in a virtual machine that does not. */
function samplingEvent() {
  const { stderr } = spawnSync('perf', ['stat', '-x', ';', '-e', 'cycles', 'true'], { encoding: 'utf8' });
  return /^\d+;/m.test(stderr) ? 'cycles' : 'cpu-clock';
}

async function sample(pid, seconds, folder) {
  if (!installed('perf')) return { missing: 'samples: perf is not installed (package linux-perf)' };
  const event = samplingEvent();
  const file = join(folder, 'perf.data');
  const said = await watch('perf', ['record', '-q', '-e', event, '-F', '1999', '-p', String(pid), '-o', file, '--', 'sleep', String(seconds)], 1000 * seconds);
  let report;
  try {
    report = execFileSync('perf', ['report', '-i', file, '--stdio', '-t', ';', '--sort', 'dso,sym'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return { missing: `samples: perf is not permitted to take them (as root, or kernel.perf_event_paranoid): ${said.trim().split('\n')[0]}` };
  }
  const rows = [...report.matchAll(/^\s*([\d.]+)%\s*;\s*(\S+)\s*;\[(.)\] (.+?)\s*$/gm)]
    .map(([, percent, dso, ring, symbol]) => ({ percent: Number(percent), dso, ring, symbol }));
  if (rows.length === 0) return { missing: `samples: perf took none: ${said.trim().split('\n')[0]}` };
  const user = rows.filter((r) => r.ring === '.');
  const sum = (list) => list.reduce((total, r) => total + r.percent, 0);
  return {
    event,
    user_percent: (100 * sum(user)) / sum(rows),
    kernel_percent: (100 * (sum(rows) - sum(user))) / sum(rows),
    top: user.slice(0, 10).map(({ percent, dso, symbol }) => ({ percent, dso, symbol })),
  };
}

/** One after the other, so that neither is in the other's figures. */
export async function look(pid, seconds, folder) {
  const calls = await countCalls(pid, seconds);
  return { calls, samples: await sample(pid, seconds, folder) };
}

function lines(workload, server, { calls, samples, items_per_s }) {
  const out = [];
  if (calls.missing) out.push(calls.missing);
  else {
    const named = Object.entries(calls.by_name).filter(([name, n]) => name !== 'all' && n > calls.by_name.all / 100)
      .sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} ${((100 * n) / calls.by_name.all).toFixed(0)} %`);
    out.push(`${(calls.per_s / items_per_s).toFixed(3)} system calls per delivery (${calls.by}): ${named.join(', ')}`);
  }
  if (samples.missing) out.push(samples.missing);
  else {
    out.push(`${samples.user_percent.toFixed(0)} % of ${samples.event} outside the kernel, ${samples.kernel_percent.toFixed(0)} % inside`);
    if (server !== 'floor') out.push(`of all, outside: ${samples.top.map((t) => `${t.symbol} ${t.percent.toFixed(1)} %`).join(', ')}`);
  }
  return out.map((line) => `- ${workload}, ${server}: ${line}`);
}

/** looks[workload][server] as lines of text. */
export function tell(looks) {
  return Object.entries(looks).flatMap(([workload, byServer]) =>
    Object.entries(byServer).flatMap(([server, seen]) => lines(workload, server, seen))).join('\n');
}
