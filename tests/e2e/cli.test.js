// The command line: what it prints, where, and with which exit code.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { binary, runCommand, startGateway } from '../support/gateway.js';
import { external, instrument, scene, testCerts } from '../support/scene.js';
import { KEY, creditsGone, html, ok, providersAt, reset, startUpstream } from '../support/upstream.js';
import { temporaryFolder, until, within } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

function configFile(t, config) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const path = join(folder.path, 'test.json');
  writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  return path;
}

const lines = (text) => text.split('\n').filter(Boolean);

test('--version, --help', async () => {
  const version = await runCommand(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^pricegate \d+\.\d+\.\d+\n$/);
  const help = await runCommand(['--help']);
  assert.equal(help.code, 0);
  for (const word of ['run', 'check', 'fetch', 'status', 'watch', '--config', '--port', '--demo']) {
    assert.ok(help.stdout.includes(word), word);
  }
  assert.equal(help.stderr, '');
});

test('wrong usage: exit 2, one line on stderr, nothing on stdout', async () => {
  for (const args of [
    ['dance'], ['--nonsense'], ['run', '--port'], ['run', '--port', 'x'], ['run', '--port', '70000'],
    ['fetch'], ['fetch', 'a', 'b'], ['fetch', '--all', 'a'], ['watch'], ['check', '--demo'], ['run', '--log-level', 'loud'],
  ]) {
    const result = await runCommand(args);
    assert.equal(result.code, 2, args.join(' '));
    assert.equal(lines(result.stderr).length, 1, `${args.join(' ')}: ${result.stderr}`);
    assert.equal(result.stdout, '');
  }
});

test('check: right configurations', async (t) => {
  for (const config of ['{}', '{"instruments":[]}', { listen: { port: 9000 }, instruments: [external('tea')] }]) {
    const result = await runCommand(['check', '--config', configFile(t, config)]);
    assert.equal(result.code, 0, result.stderr);
  }
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const builtIn = await runCommand(['check'], { cwd: folder.path });
  assert.equal(builtIn.code, 0, builtIn.stderr);
});

test('check: every problem at once, each by its path', async (t) => {
  const result = await runCommand([
    'check',
    '--config',
    configFile(t, {
      listen: { prot: 1, port: 'x' },
      drain_s: -1,
      instruments: [
        { symbol: 'a b' },
        { name: 'no symbol' },
        { symbol: 'ok', sources: [{ provider: 'yahooo', symbol: 'X' }], range: [5, 1] },
        { symbol: 'ok' },
      ],
    }),
  ]);
  assert.equal(result.code, 1);
  for (const path of [
    'listen.prot', 'listen.port', 'drain_s', 'instruments[0].symbol', 'instruments[1].symbol',
    'instruments[2].sources[0].provider', 'instruments[2].range', 'instruments[3].symbol',
  ]) {
    assert.ok(result.stderr.includes(path), `${path} in\n${result.stderr}`);
  }
  assert.match(result.stderr, /listen\.prot.*did you mean.*port/i);
  assert.match(result.stderr, /did you mean.*yahoo/i);
});

test('check: no JSON, no file', async (t) => {
  for (const text of ['', '{', '[]', '{"listen":{},"listen":{}}', '{"a":\u0000}']) {
    const result = await runCommand(['check', '--config', configFile(t, text)]);
    assert.equal(result.code, 1, JSON.stringify(text));
    assert.notEqual(result.stderr, '');
  }
  const absent = await runCommand(['check', '--config', '/nonexistent/pricegate.json']);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /\/nonexistent\/pricegate\.json/);
});

test('the environment wins over the file; unknown variables are warned about', async (t) => {
  const gateway = await startGateway({ instruments: [external('tea')] });
  t.after(() => gateway.stop());
  // `status` asks the configured address: nobody is at the file's, the gateway at the variable's.
  const file = configFile(t, { listen: { port: 1 } });
  const wrong = await runCommand(['status', '--config', file]);
  assert.equal(wrong.code, 1);
  const right = await runCommand(['status', '--config', file], {
    env: { PRICEGATE_LISTEN_PORT: String(gateway.port) },
  });
  assert.equal(right.code, 0, right.stderr);
  const odd = await runCommand(['check', '--config', configFile(t, '{}')], { env: { PRICEGATE_LISTEN_PROT: '1' } });
  assert.equal(odd.code, 0);
  assert.match(odd.stderr, /PRICEGATE_LISTEN_PROT/);
  const bad = await runCommand(['check', '--config', configFile(t, '{}')], { env: { PRICEGATE_LISTEN_PORT: 'x' } });
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /: PRICEGATE_LISTEN_PORT \(listen\.port\): must be/);
  const byEnv = await runCommand(['check'], { env: { PRICEGATE_CONFIG: '/nonexistent/x.json' } });
  assert.equal(byEnv.code, 1);
});

test('run: a wrong configuration never starts', async (t) => {
  const file = configFile(t, { listen: { port: 'x' }, bogus: 1 });
  const result = await runCommand(['run', '--config', file]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /listen\.port/);
  assert.match(result.stderr, /bogus/);
  assert.doesNotMatch(result.stderr, /listening/);
});

test('run: a taken port ends it with a sentence', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address();
  const file = configFile(t, { instruments: [external('tea')] });
  const result = await runCommand(['run', '--config', file, '--port', String(port)]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, new RegExp(`127\\.0\\.0\\.1:${port}.*in use`));
});

test('run: a missing certificate ends it with a sentence', async (t) => {
  const file = configFile(t, { listen: { port: 0, tls: { cert: '/nonexistent.pem', key: '/nonexistent.key' } } });
  const result = await runCommand(['run', '--config', file]);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /\/nonexistent\.(pem|key)/);
});

test('fetch: the item on stdout, one line per source on stderr', async (t) => {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  const file = configFile(t, {
    providers: providersAt(upstream),
    instruments: [
      instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { unit: 'USD/lb' }),
    ],
  });
  const env = { SSL_CERT_FILE: testCerts().ca };
  const fetchCommand = (...args) => runCommand(['fetch', ...args, '--config', file], { env });

  upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' }));
  const first = await fetchCommand('coffee');
  assert.equal(first.code, 0, first.stderr);
  assert.equal(lines(first.stdout).length, 1);
  assert.match(first.stdout, /"price":2\.940,/);
  assert.equal(JSON.parse(first.stdout).source, 'twelvedata');

  upstream.set('twelvedata', 'KC1', creditsGone());
  const second = await fetchCommand('coffee');
  assert.equal(second.code, 0, second.stderr);
  const item = JSON.parse(second.stdout);
  assert.equal(item.source, 'yahoo');
  assert.equal(item.fallback, true);
  assert.equal(item.price, 2.943);
  assert.ok(lines(second.stderr).some((l) => /twelvedata.*rate_limited/.test(l)), second.stderr);

  const only = await fetchCommand('coffee', '--provider', 'yahoo');
  assert.equal(JSON.parse(only.stdout).source, 'yahoo');

  upstream.set('yahoo', 'KC=F', html());
  const failed = await fetchCommand('coffee');
  assert.equal(failed.code, 1);
  assert.equal(failed.stdout, '');
  assert.equal(lines(failed.stderr).filter((l) => /twelvedata.*rate_limited|yahoo.*blocked/.test(l)).length, 2, failed.stderr);
  assert.ok(!failed.stderr.includes(KEY));

  upstream.set('yahoo', 'KC=F', reset());
  const broken = await fetchCommand('coffee', '--provider', 'yahoo');
  assert.deepEqual(lines(broken.stderr).map((l) => l.split(':')[0]), ['yahoo KC=F'], broken.stderr);

  const unknown = await fetchCommand('FOO');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /FOO/);
});

test('fetch --all: every source on its own, in one walk', async (t) => {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  const file = configFile(t, {
    providers: { ...providersAt(upstream), sim: { enabled: true } },
    instruments: [
      instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F'], ['ico', 'I-CIP']], { unit: 'USD/lb', currency: 'USD', range: [0.5, 10] }),
      instrument('AAPL', [['yahoo', 'AAPL'], ['finnhub', 'AAPL'], ['twelvedata', 'AAPL']], { currency: 'USD' }),
      instrument('tea', [['sim', 'tea']], { unit: 'USD/kg' }),
      external('cocoa'),
    ],
    observations: [{ name: 'weather/minas', sources: [{ provider: 'openmeteo', symbol: '-21.55,-45.43' }] }],
  });
  const env = { SSL_CERT_FILE: testCerts().ca };
  const all = (...args) => runCommand(['fetch', '--all', ...args, '--config', file], { env });
  upstream.set('twelvedata', 'KC1', ok({ price: '2.940' }));
  upstream.set('twelvedata', 'AAPL', ok({ price: '231.50' }));
  upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' }));
  upstream.set('yahoo', 'AAPL', ok({ price: '231.49' }));
  upstream.set('openmeteo', '*', ok({ values: { temperature_2m: 21.4 }, units: { temperature_2m: '°C' } }));

  const good = await all();
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.equal(good.stderr, '');
  const rows = lines(good.stdout).map((l) => l.split(/ {2,}/));
  assert.deepEqual(
    rows.slice(1, -1).map((r) => r.slice(0, 4).join(' ')),
    [
      'twelvedata KC1 coffee ok', 'yahoo KC=F coffee ok', 'ico I-CIP coffee ok',
      'yahoo AAPL AAPL ok', 'finnhub AAPL AAPL disabled', 'twelvedata AAPL AAPL ok', 'sim tea tea ok',
      'openmeteo -21.55,-45.43 weather/minas ok',
    ],
  );
  assert.match(rows[1][4], /^2\.940 USD\/lb, \d+ (ms|s|min) old$/);
  assert.match(rows[2][4], /^2\.943 USD\/lb/); // cents became dollars
  assert.match(rows[3][4], /^3\.5432 USD\/lb, \d+ days old$/);
  assert.match(rows[6][4], /^231\.50 USD, /);
  assert.match(rows[5][4], /no api_key: FINNHUB_API_KEY/);
  assert.match(rows[8][4], /^temperature_2m 21\.4 °C, \d+ (ms|s|min) old$/);
  assert.equal(lines(good.stdout).at(-1), '8 sources: 7 answered, 0 failed, 1 disabled');
  assert.equal(upstream.requests('twelvedata').length, 1); // both symbols in one

  // A first source that answers hides no other; what fails is named, with its sentence.
  upstream.set('yahoo', 'KC=F', ok({ price: '29430', currency: 'USX' }));
  upstream.set('yahoo', 'AAPL', html());
  const bad = await all();
  assert.equal(bad.code, 1);
  assert.match(bad.stdout, /^yahoo +KC=F +coffee +bad_schema +294\.30? is outside the range/m);
  assert.match(bad.stdout, /^yahoo +AAPL +AAPL +blocked /m);
  assert.match(bad.stdout, /8 sources: 5 answered, 2 failed, 1 disabled\n$/);
  assert.ok(!bad.stdout.includes(KEY));

  const one = await all('--provider', 'sim');
  assert.equal(one.code, 0);
  assert.match(one.stdout, /\n1 source: 1 answered/);
  const none = await all('--provider', 'oanda');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^pricegate: no instrument has the source oanda\n$/);
});

test('fetch --all: more sources than credits for the moment are asked when these come back', async (t) => {
  const upstream = await startUpstream({ certs: testCerts() });
  t.after(() => upstream.stop());
  const providers = providersAt(upstream);
  const file = configFile(t, {
    providers: { ...providers, yahoo: { ...providers.yahoo, credits_per_second: 1 } },
    instruments: [instrument('coffee', [['yahoo', 'KC=F']]), instrument('AAPL', [['yahoo', 'AAPL']])],
  });
  upstream.set('yahoo', 'KC=F', ok({ price: '2.943' }));
  upstream.set('yahoo', 'AAPL', ok({ price: '231.49' }));
  const result = await runCommand(['fetch', '--all', '--config', file], { env: { SSL_CERT_FILE: testCerts().ca } });
  assert.equal(result.code, 0, result.stdout + result.stderr);
  assert.equal(result.stderr, "pricegate: 1 source waits for its provider's credits\n");
  assert.match(result.stdout, /\n2 sources: 2 answered, 0 failed, 0 disabled\n$/);
});

test('status: what is fresh, stale, held back, and the state of the sources', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'KC1', creditsGone());
      upstream.set('yahoo', 'KC=F', ok({ price: '294.30', currency: 'USX' }));
    },
    config: {
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1'], ['yahoo', 'KC=F']], { unit: 'USD/lb', currency: 'USD', range: [0.5, 10] }),
        external('tea'),
      ],
    },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  const result = await runCommand(['status', '--url', gateway.url]);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^coffee +FRESH +\d+ (ms|s) +2\.943 USD\/lb +live +yahoo \(fallback\) /m);
  assert.match(result.stdout, /^tea +MISSING +- +- +unavailable/m);
  assert.match(result.stdout, /^yahoo +closed/m);
  assert.match(result.stdout, /^twelvedata +open .*credits/m);
  assert.ok(!result.stdout.includes('\x1b'), 'no colours where no terminal is');
  assert.ok(!result.stdout.includes('SUSPECT'));

  upstream.set('yahoo', 'KC=F', ok({ price: '29430', currency: 'USX' }));
  await until(async () => (await runCommand(['status', '--url', gateway.url])).stdout.includes('SUSPECT'), 'the suspect');
  const held = await runCommand(['status', '--url', gateway.url]);
  assert.match(held.stdout, /^coffee +294\.30? +yahoo +factor_100 /m);
  assert.match(held.stdout, /^coffee +FRESH +.* 2\.943 USD\/lb /m);

  const whether = 'is a gateway running there, and is it http:// or https://?';
  for (const command of [['status'], ['watch', 'coffee']]) {
    const nobody = await runCommand([...command, '--url', 'http://127.0.0.1:1']);
    assert.equal(nobody.code, 1);
    assert.equal(lines(nobody.stderr).length, 1);
    assert.ok(nobody.stderr.trim().endsWith(whether), nobody.stderr);
  }
  const secure = await runCommand(['status', '--url', gateway.url.replace('http:', 'https:')]);
  assert.match(secure.stderr, /: tls: .*: nobody speaks TLS there: http:\/\/ in --url$/m);
});

test('status --watch: drawn again and again; waits for a gateway that went away; ends with a signal', async (t) => {
  const config = { instruments: [instrument('coffee', [['sim', 'coffee']])], providers: { sim: { enabled: true } } };
  const first = await startGateway(config);
  t.after(() => first.stop());
  const child = spawn(binary, ['status', '-w', '1', '--url', first.url], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let out = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  const pictures = () => out.split(`${first.url} at `).length - 1;
  await until(() => pictures() >= 2 && /coffee +FRESH/.test(out), 'two pictures');
  assert.ok(!out.includes('\x1b'));
  await first.stop();
  await until(() => /\/data-health\/\w+: connect/.test(out), 'it says that nobody is there');
  const second = await startGateway(config, { port: first.port });
  t.after(() => second.stop());
  const before = pictures();
  out = '';
  await until(() => pictures() >= 2 && !out.slice(out.lastIndexOf(' at ')).includes('connect'), 'it is back');
  assert.ok(before >= 2);
  child.kill('SIGINT');
  assert.deepEqual(await within(exited, 'the end', 5000), [0, null]);
});

test('status --watch in a terminal: its own screen, colours, narrow lines cut, q quits and restores', async (t) => {
  const gateway = await startGateway({
    providers: { sim: { enabled: true } },
    instruments: ['coffee', 'AAPL', 'MSFT', 'NVDA', 'TSLA', 'crude'].map((s) => instrument(s, [['sim', s]])),
  });
  t.after(() => gateway.stop());
  // script(1) gives it a terminal; what we write to script are the keys.
  const command = `stty cols 30 rows 8; ${binary} status -w 1 --url ${gateway.url}; echo code=$?`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  t.after(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  let out = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  await until(() => /coffee +\x1b\[32mFRESH\x1b\[0m/.test(out), 'a coloured picture');
  assert.ok(out.startsWith('\x1b[?1049h'));
  assert.match(out, /lines 1 to 7 of \d+; q quits/);
  // eslint-disable-next-line no-control-regex
  const picture = out.slice(0, out.indexOf('q quits')).replace(/\x1b\[[?\d;]*[A-Za-z]/g, '');
  for (const line of picture.split(/\r*\n/).slice(0, -1)) assert.ok(line.length <= 30, JSON.stringify(line));
  child.stdin.write('jj');
  await until(() => /lines 3 to 9 of/.test(out), 'scrolled');
  child.stdin.write('q');
  await within(exited, 'the end', 5000);
  assert.match(out, /\x1b\[\?25h\x1b\[\?1049lcode=0\r*\n$/);
});

test('watch: one line per quote', async (t) => {
  const { upstream, gateway } = await scene(t, {
    script: (upstream) => upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' })),
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']])] },
  });
  await until(async () => (await gateway.get('/api/v1/quotes/coffee')).status === 200, 'a price');
  const child = spawn(binary, ['watch', 'coffee', '--url', gateway.url], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  t.after(() => child.kill('SIGKILL'));
  const seen = [];
  createInterface({ input: child.stdout }).on('line', (line) => seen.push(line));
  await until(() => seen.some((l) => l.includes('coffee') && l.includes('2.943')), 'the first line');
  upstream.set('yahoo', 'KC=F', ok({ price: '295.0', currency: 'USX' }));
  await until(() => seen.some((l) => l.includes('2.95')), 'the next line');
  child.kill('SIGTERM');
  await within(exited, 'watch ends', 5000);
});

test('watch: the same over TLS', async (t) => {
  const certs = testCerts();
  const gateway = await startGateway({
    listen: { tls: { cert: certs.cert, key: certs.key } },
    instruments: [instrument('coffee', [['sim', 'coffee']])],
  });
  t.after(() => gateway.stop());
  const child = spawn(binary, ['watch', 'coffee', '--url', gateway.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SSL_CERT_FILE: certs.ca },
  });
  t.after(() => child.kill('SIGKILL'));
  const seen = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => seen.push(line));
  await until(() => seen.length > 0, 'the first line');
  assert.match(seen[0], /coffee .* sim /);
  // Of an authority that this machine does not know.
  for (const command of [['watch', 'coffee'], ['status']]) {
    const { code, stderr } = await runCommand([...command, '--url', gateway.url], { env: { SSL_CERT_FILE: '/dev/null' } });
    assert.equal(code, 1);
    const plain = await runCommand([...command, '--url', gateway.url.replace('https:', 'http:')]);
    assert.match(plain.stderr, /: is a gateway running there, and is it http:\/\/ or https:\/\/\?$/m);
    assert.match(stderr, /: tls: .*: --url must have the name in its certificate, and an authority of your own stand in a file named by SSL_CERT_FILE$/m);
  }
});

test('watch: what is not known is a dash', async (t) => {
  const gateway = await startGateway({ instruments: [instrument('coffee', [['ico', 'I-CIP']])] });
  t.after(() => gateway.stop());
  const child = spawn(binary, ['watch', 'coffee', '--url', gateway.url], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const seen = [];
  createInterface({ input: child.stdout }).on('line', (line) => seen.push(line));
  await until(() => seen.length > 0, 'the first line');
  assert.match(seen[0], /Z {2}coffee {2}[\d.]+ USD {2}- {2}ico {2}/);
});

test('SIGTERM: goaway, close 1001, exit 0; nobody is let in meanwhile', async (t) => {
  const { gateway, follow } = await scene(t, { config: { instruments: [external('tea')] } });
  const clients = await Promise.all(Array.from({ length: 5 }, () => follow()));
  gateway.signal('SIGTERM');
  for (const client of clients) {
    const goaway = await client.nextType('goaway');
    assert.equal(goaway.reason, 'shutdown');
    assert.ok(goaway.reconnect_ms > 0);
    assert.equal((await within(client.closed, 'the close')).code, 1001);
  }
  assert.deepEqual(await within(gateway.exited, 'the end'), { code: 0, signal: null });
  await gateway.log((l) => l.event === 'client_closed' && l.reason === 'shutdown');
});

test('a second SIGTERM exits at once', async (t) => {
  const { gateway } = await scene(t, { config: { drain_s: 60, instruments: [external('tea')] } });
  // A client that never answers the close.
  const socket = net.connect(gateway.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  const got = [];
  socket.on('data', (bytes) => got.push(bytes));
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${gateway.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await until(() => Buffer.concat(got).includes('"welcome"'), 'welcome');
  gateway.signal('SIGTERM');
  await until(() => Buffer.concat(got).includes('"goaway"'), 'goaway');
  gateway.signal('SIGTERM');
  await within(gateway.exited, 'the end', 3000);
});

test('--demo: a moving market without a network', async (t) => {
  const gateway = await startGateway({}, { args: ['--demo'] });
  t.after(() => gateway.stop());
  const client = await connectWs(gateway.wsUrl);
  t.after(() => client.terminate());
  client.send({ action: 'subscribe', symbols: ['*'] });
  await until(() => {
    const items = client.messages.filter((m) => m.type === 'quote' && !m.snapshot).flatMap((m) => m.data);
    return items.length >= 10 && new Set(items.map((q) => q.price)).size >= 5;
  }, 'it moves');
  const { data } = (await gateway.get('/api/v1/instruments')).json;
  assert.ok(data.length >= 15 && data.length <= 30, `${data.length} instruments`);
  assert.ok(new Set(data.map((i) => i.category)).size >= 4);
  const { data: quotes } = (await gateway.get('/api/v1/quotes')).json;
  for (const quote of quotes.filter((q) => q.price !== null)) assert.equal(quote.source, 'sim');
});

test('SIGHUP in a terminal: a reload, and the end when the terminal is closed', async (t) => {
  const file = configFile(t, { listen: { port: 0 }, instruments: [external('tea')] });
  const log = `${file}.log`;
  const child = spawn('script', ['-qec', `exec ${binary} run --config ${file} 2>${log}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  await until(() => /dashboard at http/.test(out), 'its address');
  const event = (name) => until(() => existsSync(log) && lines(readFileSync(log, 'utf8')).map((line) => JSON.parse(line)).find((line) => line.event === name), name);
  const { pid } = await event('starting');
  t.after(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch { /* it has ended */ }
  });
  process.kill(pid, 'SIGHUP');
  await event('reloaded');
  child.kill('SIGKILL');
  await event('stopped');
});

test('logs are JSON lines with ts, level and event; REALTIME_PRICE_FEED_ENABLED=false polls nobody', async (t) => {
  const { upstream, gateway } = await scene(t, {
    args: ['--log-level', 'debug'],
    script: (upstream) => upstream.set('yahoo', 'KC=F', ok({ price: '294.3', currency: 'USX' })),
    env: { REALTIME_PRICE_FEED_ENABLED: 'false' },
    config: { instruments: [instrument('coffee', [['yahoo', 'KC=F']])] },
  });
  const client = await connectWs(gateway.wsUrl);
  await client.close();
  await gateway.log('client_closed');
  await gateway.stop();
  assert.deepEqual(gateway.other, []);
  for (const line of gateway.logs) {
    for (const member of ['ts', 'level', 'event']) assert.ok(member in line, JSON.stringify(line));
  }
  assert.equal(upstream.requests().length, 0);
});

test('the log at its usual level: an unknown variable, and a crowd that leaves at once, in a few lines', async (t) => {
  const { gateway } = await scene(t, { env: { PRICEGATE_LISTEN_PROT: '1' }, config: { instruments: [external('tea')] } });
  const warning = await gateway.log('config_warning');
  assert.match(warning.why, /^PRICEGATE_LISTEN_PROT: .*did you mean PRICEGATE_LISTEN_PORT\?/);
  const left = () => gateway.logs.filter((l) => l.event === 'client_closed' && l.reason === 'peer');
  await (await connectWs(gateway.wsUrl)).close();
  await until(() => left().length === 1, 'the first that leaves is told of');
  const crowd = await Promise.all(Array.from({ length: 200 }, () => connectWs(gateway.wsUrl)));
  for (const client of crowd) client.terminate();
  await until(async () => (await gateway.metric('pricegate_disconnects_total{reason="peer"}')) === 201, 'all have left', 30_000);
  await until(async () => {
    await (await connectWs(gateway.wsUrl)).close();
    return left().some((l) => l.suppressed > 0);
  }, 'a line that counts the others');
  assert.ok(left().length < 200, `${left().length} lines`);
  await gateway.stop();
  assert.deepEqual(gateway.other, []);
});
