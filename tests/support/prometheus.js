// A real Prometheus (Debian's package `prometheus`) with its data in a temporary folder, on a port of its own.
//
//   const prometheus = await startPrometheus(t, {scrape_configs…} as YAML text, {files: {'alerts.yml': text}});
//   await prometheus.query('up');   // [{metric: {…}, value}]

import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { request } from './gateway.js';
import { freePort, temporaryFolder, until, within } from './wait.js';

const installed = (name) => process.env.PATH.split(':').some((folder) => existsSync(join(folder, name)));
/** Why a test that needs the program is left out; false: it is there. */
export const missing = (name) => (installed(name) ? false : `${name} is not installed (Debian: prometheus)`);

export async function startPrometheus(t, config, { files = {} } = {}) {
  const folder = temporaryFolder();
  const port = await freePort();
  for (const [name, text] of Object.entries({ ...files, 'prometheus.yml': config })) writeFileSync(join(folder.path, name), text);
  const child = spawn('prometheus', [
    `--config.file=${join(folder.path, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder.path, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn',
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  let gone = null;
  child.stderr.on('data', (part) => (said += part));
  const exited = new Promise((resolve) => child.on('exit', (code, signal) => resolve((gone = { code, signal }))));
  const orphan = () => child.kill('SIGKILL');
  process.on('exit', orphan);
  t.after(async () => {
    process.off('exit', orphan);
    child.kill('SIGKILL');
    await within(exited, 'Prometheus ends');
    folder.remove();
  });

  const ask = async (path) => {
    const answer = await request(`http://127.0.0.1:${port}`, { path });
    if (answer.status !== 200) throw new Error(`${decodeURIComponent(path)}: ${answer.status} ${answer.body}`);
    return answer.json.data;
  };
  await until(async () => {
    if (gone) throw new Error(`Prometheus ended: ${JSON.stringify(gone)}\n${said}`);
    return (await request(`http://127.0.0.1:${port}/-/ready`).catch(() => ({}))).status === 200;
  }, 'Prometheus is ready', 60_000);
  return {
    /** What the query gives now. */
    query: async (query) =>
      (await ask(`/api/v1/query?query=${encodeURIComponent(query)}`)).result.map((r) => ({ metric: r.metric, value: Number(r.value[1]) })),
    targets: async () => (await ask('/api/v1/targets')).activeTargets,
    rules: async () => (await ask('/api/v1/rules')).groups.flatMap((g) => g.rules),
  };
}
