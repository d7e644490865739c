// README's "Use it from ...": what stands there in code is either a piece of a file of web/examples, or a command
// that is run here, word for word but for the gateway's port, and shows a price. And the links of all documents.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';

import { examples, isInstalled, redisPyPath, root, start } from '../support/example.js';
import { request, startGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = /^## Use it from \.\.\.\n(.*?)^## /ms.exec(readme)[1];
const blocks = [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const links = [...section.matchAll(/\]\((web\/[^)]+)\)/g)].map(([, path]) => path);
const read = (path) => readFileSync(join(root, path), 'utf8');

test('a link leads to a file, and each file of the examples is named', () => {
  for (const path of links.filter((p) => p !== 'web/examples')) assert.ok(read(path), path);
  const files = readdirSync(examples, { recursive: true }).filter((name) => /\.\w+$/.test(name));
  for (const file of files) assert.ok(section.includes(file.split('/').at(-1)) || file === 'shell/show.sh', `${file} is not in the README`);
});

test('a piece of a page or of a module is one of an example', () => {
  const sources = readdirSync(examples, { recursive: true }).filter((name) => /\.(html|jsx?|mjs)$/.test(name));
  const pieces = blocks.filter(({ language }) => language);
  assert.ok(pieces.length > 0);
  for (const { text } of pieces) assert.ok(sources.some((name) => readFileSync(join(examples, name), 'utf8').includes(text.trim())), text);
});

/** The anchors of a document's headings, as those who show Markdown make them. */
const anchors = (text) => [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'));

for (const document of ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'web/client/README.md']) {
  test(`each link of ${document} leads to a file or a heading`, () => {
    const text = read(document).replaceAll(/^ *```.*?^ *```$/gms, '');
    const targets = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target).filter((target) => !/^https?:/.test(target));
    for (const target of targets) {
      const [path, anchor] = target.split('#');
      const file = path ? join(dirname(document), path) : document;
      assert.ok(existsSync(join(root, file)), target);
      if (anchor) assert.ok(anchors(read(file).replaceAll(/^ *```.*?^ *```$/gms, '')).includes(anchor), target);
    }
    if (document === 'README.md') assert.ok(targets.length > 50, `${targets.length} links`);
  });
}

/** What a command needs and this machine has not. */
function missing(command) {
  if (/redis_prices/.test(command) && !redisPyPath()) return 'redis-py';
  return ['python3', 'websocat', 'curl', 'redis-cli'].find((tool) => command.includes(tool) && !isInstalled(tool));
}

async function market(t) {
  const port = await freePort();
  const redis = await startRedis({ args: ['--port', String(port), '--bind', '127.0.0.1'] });
  t.after(() => redis.stop());
  const sim = (symbol) => ({ symbol, poll_ms: 200, sources: [{ provider: 'sim', symbol }] });
  const gateway = await startGateway({
    redis: { url: redis.url }, providers: { sim: { enabled: true } }, instruments: [sim('coffee'), sim('EUR/USD')],
  });
  t.after(() => gateway.stop());
  await until(() => redis.command('EXISTS', 'coffee:price:latest'), 'a price in Redis');
  return { PATH: redisPyPath() ?? process.env.PATH, PRICEGATE: gateway.url, REDIS_URL: `redis://127.0.0.1:${port}/0` };
}

const commands = blocks.filter(({ language }) => !language);

describe('the commands', { concurrency: 2 }, () => {
  for (const { text } of commands) {
    // What prepares the next line goes before it.
    const lines = text.trim().replaceAll(/ +#.*$/gm, '').replace(/^(npm install .*)\n/gm, '$1 >/dev/null && ').split('\n');
    for (const line of lines) {
      const tool = missing(line);
      test(line, { skip: tool && `${tool} is not installed` }, async (t) => {
        const desk = temporaryFolder();
        t.after(() => desk.remove());
        if (/http\.server/.test(line)) {
          const port = await freePort();
          start(t, 'bash', ['-c', `exec ${line.replace(/8000$/, port)}`], { cwd: root });
          const page = () => request(`http://127.0.0.1:${port}/ticker.html`).then((r) => r.status === 200 && r.body, () => false);
          assert.equal(await until(page, 'the page', 30_000), read('web/examples/browser/ticker.html'));
          return;
        }
        const program = start(t, 'bash', ['-c', line.replaceAll('/tmp/desk', desk.path)], { cwd: root, env: await market(t) });
        await program.says(/coffee .*\d\.\d+ .*\bsim\b.* old/, 60_000);
        await program.says(/EUR\/USD .*\d\.\d+ .*\bsim\b.* old/, 60_000);
      });
    }
  }
});
