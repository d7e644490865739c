// What people are told, as it arrives: at a real mail server with STARTTLS and a login, and at a webhook. When
// something is told is for tests/unit/notices; here the whole program runs into troubles and out of them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';

import { runCommand } from '../support/gateway.js';
import { noMailServer, startMailServer, startWebhook } from '../support/mail.js';
import { instrument, scene, testCerts } from '../support/scene.js';
import { hang, ok, status, unknown } from '../support/upstream.js';
import { freePort, temporaryFolder, until } from '../support/wait.js';

const skip = noMailServer;
const PASSWORD = 'mailpassword-58c1';
const LOGIN = { user: 'gate', password: PASSWORD };
const quick = { name: 'desk-1', after_s: 0, every_s: 0 };
const mailTo = (port, more = {}) => ({
  url: `smtp://localhost:${port}`, user: 'gate', password: '$MAIL_PASSWORD', from: 'pricegate@example.com', to: ['ops@example.com'], ...more,
});
const polled = (symbol) => instrument(symbol, [['twelvedata', symbol.toUpperCase()]]);
const seldom = (symbol) => instrument(symbol, [['twelvedata', symbol.toUpperCase()]], { poll_ms: 3_600_000 });
const said = (texts, what, ms = 30_000) => until(() => texts.find((text) => what.test(text)), `${what} among ${JSON.stringify(texts)}`, ms);

/** A gateway whose upstream knows coffee and tea, of which it polls coffee; told(): everything that the webhook was told. */
async function desk(t, { notifications = {}, env = {}, config = {}, ...options } = {}) {
  const hook = await startWebhook(t);
  const made = await scene(t, {
    script: (upstream) => {
      upstream.set('twelvedata', 'COFFEE', ok({ price: '2.943' }));
      upstream.set('twelvedata', 'TEA', ok({ price: '3.10' }));
    },
    env: { MAIL_PASSWORD: PASSWORD, HOOK: hook.url, ...env },
    config: { instruments: [polled('coffee')], notifications: { ...quick, webhook: { url: '$HOOK' }, ...notifications }, ...config },
    ...options,
  });
  const { gateway, upstream } = made;
  const priced = (symbol) => until(async () => (await gateway.get(`/api/v1/quotes/${symbol}`)).status === 200, `a price of ${symbol}`);
  const reload = async (change) => {
    const loaded = gateway.logs.filter((l) => l.event === 'reloaded').length;
    writeFileSync(gateway.file, JSON.stringify({ ...gateway.config, ...change }));
    gateway.signal('SIGHUP');
    await until(() => gateway.logs.filter((l) => l.event === 'reloaded').length > loaded, `reloaded ${gateway.logText()}`);
  };
  return { ...made, hook, gateway, priced, reload, set: (symbol, mode) => upstream.set('twelvedata', symbol.toUpperCase(), mode) };
}

/** `pricegate notify` with these channels. */
async function trial(t, notifications, env = {}) {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const file = `${folder.path}/pricegate.json`;
  writeFileSync(file, JSON.stringify({ notifications: { name: 'desk-1', ...notifications } }));
  const result = await runCommand(['notify', '--config', file], { env: { MAIL_PASSWORD: PASSWORD, SSL_CERT_FILE: testCerts().ca, ...env } });
  return { ...result, all: result.stdout + result.stderr };
}

/** The program counts a message after the other side has it: until() where that is what was seen. */
const counted = (gateway, channel, result) => gateway.metric(`pricegate_notifications_total{channel="${channel}",result="${result}"}`);

describe('notifications', { concurrency: 6 }, () => {
  test('a failure and its end: by mail with STARTTLS and a login, and by a webhook', { skip }, async (t) => {
    const mail = await startMailServer(t, { certs: testCerts(), ...LOGIN });
    const { gateway, hook, priced, set } = await desk(t, {
      notifications: { name: 'desk é', mail: mailTo(mail.port, { to: ['ops@example.com', 'two@example.com'] }) },
      args: ['--log-level', 'debug'],
    });
    await priced('coffee');
    set('coffee', status(500));
    const failure = await until(() => mail.mails[0], `a mail; ${mail.errors}`, 30_000);
    assert.deepEqual([failure.from, failure.to, failure.tls, failure.login], ['pricegate@example.com', ['ops@example.com', 'two@example.com'], true, true]);
    assert.equal(failure.headers.to, '<ops@example.com>, <two@example.com>');
    assert.equal(failure.headers['auto-submitted'], 'auto-generated');
    assert.ok(Math.abs(Date.parse(failure.headers.date) - Date.now()) < 60_000, failure.headers.date);
    assert.match(failure.subject, /^\[pricegate desk é\] failure: no source of coffee answers; its price is \w+$/);
    assert.match(failure.text, /^failure: no source of coffee answers; its price is \w+\n {2}since: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(\d+ s\)\n {2}why: twelvedata: upstream_error, .*\n {2}last good: 2\.943 from twelvedata, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n {2}to do: .*\/api\/v1\/provenance\/coffee/);
    assert.match(await said(hook.texts, /failure/), /^\[pricegate desk é\] failure: no source of coffee answers/);
    assert.equal(hook.requests[0].method, 'POST');
    assert.equal(hook.requests[0].type, 'application/json');
    assert.deepEqual(Object.keys(JSON.parse(hook.requests[0].body)), ['text']);

    set('coffee', ok({ price: '2.950' }));
    const recovery = await until(() => mail.mails[1], 'another mail', 30_000);
    assert.match(recovery.text, /^recovery: coffee is well again \(live\): 2\.950 from twelvedata\n {2}since: .* UTC, until .* UTC \(\d+ s\)\n/);
    await said(hook.texts, /recovery: coffee/);
    assert.notEqual(recovery.headers['message-id'], failure.headers['message-id']);
    await until(async () => (await counted(gateway, 'mail', 'sent')) === 2, 'two mails are counted');
    await until(async () => (await counted(gateway, 'webhook', 'sent')) === 2, 'two requests are counted');
    await gateway.stop();
    assert.equal(mail.mails.length, 2);
    const told = gateway.logText() + JSON.stringify(mail.mails) + hook.texts.join();
    for (const secret of [PASSWORD, 'SECRETPATH', Buffer.from(`\0gate\0${PASSWORD}`).toString('base64')]) assert.ok(!told.includes(secret), secret);
  });

  test('kinds are switched by a reload; jobs are told of: in part, recovered, all well', async (t) => {
    const every = { jobs: { max_retries: 0, market: { every: 'hourly' } } };
    const { hook, gateway, reload, set } = await desk(t, {
      notifications: { failure: false },
      script: (upstream) => {
        upstream.set('twelvedata', 'COFFEE', ok({ price: '2.943' }));
        upstream.set('twelvedata', 'TEA', unknown());
      },
      config: { instruments: [seldom('coffee'), seldom('tea')], limits: { refresh_ms: 0 }, ...every },
    });
    const partial = await said(hook.texts, /partial: job market/);
    assert.match(partial, /job market: 1 of 2 instruments brought nothing\n {2}since: .*\n {2}why: tea: twelvedata: not_found, .*\n {2}last good: none since .*\n {2}to do: .*refresh-market/);
    const { notifications } = gateway.config;
    await reload({ notifications: { ...notifications, failure: true, partial: false } });
    await said(hook.texts, /failure: no source of tea answers/); // which was not told before
    assert.ok(!hook.texts[0].includes('failure'), hook.texts[0]);
    set('tea', ok({ price: '3.10' }));
    await gateway.post('/data-health/reset-circuit/twelvedata'); // it would be left alone for a while
    assert.equal((await gateway.post('/data-health/refresh-market')).json.status, 'success');
    assert.match(await said(hook.texts, /recovery: job market/), /job market is done: 2 of 2 instruments in \d+\.\d s/);
    await said(hook.texts, /recovery: tea is well again/);

    // Recoveries are not told any more, which shows in what comes after one.
    await reload({ notifications: { ...notifications, failure: true, recovery: false } });
    const before = hook.texts.length;
    const refresh = async (symbol, mode, result) => {
      set(symbol, mode);
      await gateway.post('/data-health/reset-circuit/twelvedata');
      assert.equal((await gateway.post('/data-health/refresh-market')).json.status, result);
    };
    await refresh('coffee', unknown(), 'partial');
    await until(() => hook.texts.slice(before).some((text) => /failure: no source of coffee/.test(text)), 'coffee is told of', 30_000);
    await refresh('coffee', ok({ price: '2.944' }), 'success');
    await refresh('tea', unknown(), 'partial');
    await until(() => hook.texts.slice(before).some((text) => /failure: no source of tea/.test(text)), 'tea is told of', 30_000);
    assert.ok(!hook.texts.slice(before).some((text) => /recovery/.test(text)), hook.texts.slice(before).join('\n'));
  });

  test('a run in which all goes well is told where it is wanted, one that somebody asked for is not', async (t) => {
    const { hook, gateway, set } = await desk(t, {
      notifications: { success: true },
      config: { instruments: [seldom('coffee'), seldom('tea')], limits: { refresh_ms: 0 }, jobs: { market: { every: 'hourly' } } },
    });
    assert.match(await said(hook.texts, /success/), /^\[pricegate desk-1\] success: job market is done: 2 of 2 instruments in/);
    assert.equal((await gateway.post('/data-health/refresh-market')).json.status, 'success');
    set('tea', unknown());
    assert.equal((await gateway.post('/data-health/refresh-market')).json.status, 'partial');
    await said(hook.texts, /failure: no source of tea/); // which lasts beyond that run
    await gateway.stop();
    assert.equal(hook.texts.length, 2);
    assert.ok(!/job/.test(hook.texts[1]), hook.texts[1]);
  });

  test('no more messages than allowed: what is held back comes together, at the latest at the end', async (t) => {
    const symbols = ['a', 'b', 'c', 'd', 'e'];
    const { hook, gateway, priced, set } = await desk(t, {
      notifications: { every_s: 3600 },
      script: (upstream) => upstream.set('twelvedata', '*', ok({ price: '1.00' })),
      config: { instruments: symbols.map(polled) },
    });
    for (const symbol of symbols) await priced(symbol);
    for (const symbol of ['a', 'b', 'c']) {
      set(symbol, unknown());
      await said(hook.texts, new RegExp(`failure: no source of ${symbol} `));
    }
    for (const symbol of ['d', 'e']) set(symbol, unknown());
    await until(async () => (await gateway.metric('pricegate_notifications_held_back_total')) === 2, 'two are held back', 30_000);
    assert.equal(hook.texts.length, 3);
    await gateway.stop();
    assert.equal(hook.texts.length, 4);
    assert.match(hook.texts[3], /^\[pricegate desk-1\] 2 failures: d, e\n/);
  });

  test('a late job, a certificate that ends soon, a provider that is left alone', async (t) => {
    const { hook, gateway, set } = await desk(t, {
      script: (upstream) => {
        upstream.set('yahoo', 'KC=F', ok({ price: '2.943' }));
        upstream.set('twelvedata', 'TEA', hang());
      },
      env: { SSL_CERT_FILE: testCerts().ca },
      config: {
        listen: { tls: { cert: testCerts().cert, key: testCerts().key } },
        limits: { upstream_ms: 7000, refresh_ms: 0 },
        breaker: { threshold: 1, timeout_s: 3600 },
        instruments: [instrument('coffee', [['twelvedata', 'COFFEE'], ['yahoo', 'KC=F']], { poll_ms: 3_600_000 }), seldom('tea')],
        jobs: { max_retries: 0, sla_s: 1, market: { every: 'hourly' } },
      },
    });
    assert.match(await said(hook.texts, /partial: the certificate/), /partial: the certificate that is served ends on .* UTC\n {2}since: .*\n {2}to do: .*no connection is lost/);
    assert.match(await said(hook.texts, /partial: job market still/), /job market still runs after 1 s; \d of its instruments are not done\n {2}since: .*\n {2}last good: none since .*\n {2}to do: .*jobs\.sla_s/);
    const shut = await said(hook.texts, /partial: twelvedata/);
    assert.match(shut, /twelvedata is left alone \(its breaker is open\); .*\n {2}since: .*\n {2}why: timeout: .*\n {2}last good: .*\n {2}to do: it is tried again at .* UTC; .*reset-circuit\/twelvedata/);
    await said(hook.texts, /failure: no source of tea answers/);
    assert.ok(!hook.texts.some((text) => /source of coffee/.test(text)), 'coffee has another source');
    set('tea', ok({ price: '3.10' }));
    const https = { ca: testCerts().pem.ca };
    await gateway.post('/data-health/reset-circuit/twelvedata', https);
    await said(hook.texts, /recovery: twelvedata answers again/);
    assert.equal((await gateway.post('/data-health/refresh-market', https)).json.status, 'success');
    await said(hook.texts, /recovery: tea is well again/);
    await said(hook.texts, /recovery: job market is done/);
  });

  test('Redis away, and back', async (t) => {
    const { hook, redis } = await desk(t, { redis: true });
    await redis.kill();
    assert.match(await said(hook.texts, /failure: Redis cannot be reached/), / {2}why: .*\n {2}to do: .*nothing has to be restarted/);
    await redis.start();
    await said(hook.texts, /recovery: Redis is back/);
  });

  test('a mail server that is away: the log says so once; when it is back, the mail comes', { skip }, async (t) => {
    const port = await freePort();
    const { gateway, priced, set, reload, hook } = await desk(t, { notifications: { mail: mailTo(port) } });
    await priced('coffee');
    hook.answer = { status: 503, headers: { 'retry-after': '1' } };
    set('coffee', status(500));
    const line = await gateway.log((l) => l.event === 'notification_failed' && l.channel === 'mail', 30_000);
    assert.match(line.error, /^connect: /);
    assert.match(line.to_do, /host and port of notifications\.mail\.url/);
    const web = await gateway.log((l) => l.event === 'notification_failed' && l.channel === 'webhook', 30_000);
    assert.match(web.error, /^upstream_error: the webhook answered 503$/);
    hook.answer = 200;
    const mail = await startMailServer(t, { certs: testCerts(), ...LOGIN, port });
    await reload({}); // who reloads wants to see it now
    await until(() => mail.mails.length, 'the mail', 30_000);
    await said(hook.texts, /failure: no source of coffee/);
    await gateway.log((l) => l.event === 'notification_sent' && l.channel === 'mail');
    assert.equal(gateway.logs.filter((l) => l.event === 'notification_failed' && l.channel === 'mail').length, 1);
  });

  test('what was not taken is tried again by itself', async (t) => {
    const { gateway, priced, set, hook } = await desk(t);
    await priced('coffee');
    hook.answer = 500;
    set('coffee', status(500));
    await until(() => hook.requests.length, 'a first try', 30_000);
    hook.answer = 200;
    await said(hook.texts, /failure: no source of coffee/, 60_000);
    assert.equal(hook.requests.length, 2);
    await until(async () => (await counted(gateway, 'webhook', 'sent')) === 1, 'it is counted');
    assert.equal(await counted(gateway, 'webhook', 'failed'), 1);
    assert.equal(await counted(gateway, 'webhook', 'dropped'), 0);
  });

  test('whoever refuses for good is not asked again, and the message is counted as lost', async (t) => {
    const { gateway, priced, set, hook } = await desk(t, { config: { instruments: [polled('coffee'), polled('tea')] } });
    await priced('coffee');
    await priced('tea');
    hook.answer = 404;
    set('coffee', unknown());
    const line = await gateway.log('notification_failed', 30_000);
    assert.match(line.to_do, /make a new one/);
    assert.equal(await counted(gateway, 'webhook', 'dropped'), 1);
    hook.answer = 200;
    set('tea', unknown());
    await said(hook.texts, /no source of tea/);
    assert.equal(hook.requests.length, 2);
  });

  test('one recipient who is refused does not keep the mail from the others; the log says so once', { skip }, async (t) => {
    const mail = await startMailServer(t, { certs: testCerts(), ...LOGIN, refuse: '550 gone', refused: ['two@example.com'] });
    const to = ['ops@example.com', 'two@example.com', 'three@example.com'];
    const { gateway, priced, set } = await desk(t, { notifications: { webhook: { url: null }, mail: mailTo(mail.port, { to }) } });
    await priced('coffee');
    set('coffee', status(500));
    await until(() => mail.mails.length === 1, 'a mail', 30_000);
    set('coffee', ok({ price: '2.950' }));
    await until(() => mail.mails.length === 2, 'another mail', 30_000);
    for (const { to } of mail.mails) assert.deepEqual(to, ['ops@example.com', 'three@example.com']);
    await until(async () => (await counted(gateway, 'mail', 'sent')) === 2, 'both are sent');
    const lines = gateway.logs.filter((l) => l.event === 'notification_failed');
    assert.deepEqual(lines.map((l) => l.error), ['upstream_error: sent, but the server refused 1 of 3 recipients']);
    const tried = await trial(t, { mail: mailTo(mail.port, { to }) });
    assert.equal(tried.code, 1);
    assert.match(tried.stderr, /^pricegate: mail: upstream_error: sent, but the server refused 1 of 3 recipients: /);
  });

  test('a mail server that greets and then says no more is at the right address', async (t) => {
    const sockets = [];
    const server = net.createServer((socket) => { sockets.push(socket.on('error', () => {})); socket.write('220 mail.test\r\n'); }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { sockets.forEach((s) => s.destroy()); server.close(); });
    const { code, stderr } = await trial(t, { mail: mailTo(server.address().port) });
    assert.equal(code, 1);
    assert.match(stderr, /^pricegate: mail: upstream_error: the server fell silent after its answer 220: see the mail server's log/);
  });

  test('a webhook that has taken a message has taken it, whatever it says then; a message is for one host', async (t) => {
    const bodies = [(res) => res.end('a'.repeat(600_000)), (res) => res.write('no end'), (res) => { res.write('cut'); setTimeout(() => res.destroy(), 50); }];
    for (const say of bodies) {
      let n = 0;
      const server = http.createServer((req, res) => { n++; req.resume().on('end', () => { res.on('error', () => {}).writeHead(200); say(res); }); });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => { server.closeAllConnections?.(); server.close(); });
      const taken = await trial(t, { webhook: { url: `http://127.0.0.1:${server.address().port}/services/SECRETPATH-1f2e` } });
      assert.deepEqual([taken.code, taken.stdout, taken.stderr, n], [0, 'webhook: taken\n', '', 1]);
    }
    const other = await startWebhook(t);
    for (const code of [302, 307, 308]) {
      const hook = await startWebhook(t, { answer: { status: code, headers: { location: other.url } } });
      const moved = await trial(t, { webhook: { url: hook.url } });
      assert.equal(moved.code, 1);
      assert.match(moved.stderr, new RegExp(`the webhook answered ${code}`));
      assert.equal(other.requests.length, 0);
      assert.ok(!moved.all.includes('SECRETPATH'), moved.all);
    }
  });

  test('a mail server that says nothing holds up the end for a moment only', async (t) => {
    const sockets = [];
    const mute = net.createServer((socket) => { sockets.push(socket.on('error', () => {})); }).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    t.after(() => { sockets.forEach((s) => s.destroy()); mute.close(); });
    const mail = mailTo(mute.address().port);
    const { gateway, priced, set, reload } = await desk(t, { notifications: { webhook: { url: null }, mail } });
    await priced('coffee');
    set('coffee', status(500));
    await until(() => sockets.length, 'a connection', 30_000);
    assert.equal((await gateway.get('/readyz')).status, 200); // and nobody waits for it meanwhile

    // A reload that takes the channel away takes its message along.
    const ended = once(sockets[0], 'close');
    await reload({ notifications: { ...quick } });
    assert.equal(await counted(gateway, 'mail', 'dropped'), 1);
    await ended;
    await reload({ notifications: { ...quick, mail } });
    set('coffee', ok({ price: '2.950' }));
    await until(() => sockets.length > 1, 'another connection', 30_000);
    const began = performance.now();
    await gateway.stop();
    const seconds = (performance.now() - began) / 1000;
    t.diagnostic(`ended after ${seconds.toFixed(1)} s`);
    assert.ok(seconds < 8, `${seconds}`); // a server that does not greet is given up after 10
    const line = gateway.logs.find((l) => l.event === 'notifications_dropped');
    assert.equal(line.channel, 'mail');
    assert.equal(line.messages, 1);
  });

  test('what a provider says makes no header, no recipient and no command', { skip }, async (t) => {
    const evil = 'x\r\nBcc: evil@example.com\r\n\r\n.\r\nRCPT TO:<evil@example.com>\r\n<!channel> \u00e9';
    const mail = await startMailServer(t, { certs: testCerts(), ...LOGIN });
    const { hook, priced, set } = await desk(t, {
      notifications: { mail: mailTo(mail.port) },
    });
    await priced('coffee');
    set('coffee', status(400, JSON.stringify({ code: 400, message: evil, status: 'error' }), { 'content-type': 'application/json' }));
    const taken = await until(() => mail.mails[0], 'a mail', 30_000);
    assert.deepEqual(taken.to, ['ops@example.com']);
    assert.equal(taken.headers.bcc, undefined);
    assert.match(taken.text, /Bcc: evil@example\.com/); // it is told, in its line
    assert.ok(!/^(Bcc|RCPT|\.$)/m.test(taken.text), taken.text);
    const text = await said(hook.texts, /Bcc/);
    assert.ok(text.includes('&lt;!channel&gt;') && !text.includes('<'), text);
    assert.equal(mail.mails.length, 1);
  });

  test('pricegate notify: each channel is tried once, and says what is wrong', { skip }, async (t) => {
    const hook = await startWebhook(t);
    const webhook = { url: hook.url };
    const good = await startMailServer(t, { certs: testCerts(), ...LOGIN });
    const fine = await trial(t, { mail: mailTo(good.port), webhook });
    assert.deepEqual([fine.code, fine.stderr], [0, '']);
    assert.deepEqual(fine.stdout.trim().split('\n').sort(), ['mail: taken by the server, for 1 recipient', 'webhook: taken']);
    assert.equal(good.mails[0].subject, '[pricegate desk-1] a test');
    assert.match(hook.texts[0], /^\[pricegate desk-1\] a test\n/);

    const nothing = await trial(t, {});
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /notifications has neither mail\.url nor webhook\.url/);

    const wrongLogin = await trial(t, { mail: mailTo(good.port) }, { MAIL_PASSWORD: 'wrong-one' });
    assert.equal(wrongLogin.code, 1);
    assert.match(wrongLogin.stderr, /^pricegate: mail: auth: the server refused the login \(535\): correct notifications\.mail\.user and \.password\n$/);
    assert.ok(good.refused >= 1);

    const wrong = testCerts().wrong();
    const folder = temporaryFolder();
    t.after(() => folder.remove());
    for (const [name, why] of [['expired', /certificate has expired/], ['elsewhere', /host name|subject name/], ['unknown', /self.signed certificate/]]) {
      const certs = { cert: `${folder.path}/${name}.pem`, key: `${folder.path}/${name}.key` };
      for (const part of ['cert', 'key']) writeFileSync(certs[part], wrong[name][part]);
      const server = await startMailServer(t, { certs, ...LOGIN });
      const refused = await trial(t, { mail: mailTo(server.port) });
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /^pricegate: mail: tls: /, name);
      assert.match(refused.stderr, why, name);
      assert.deepEqual([server.mails.length, server.refused], [0, 0]);
      await server.stop();
    }

    const bare = await startMailServer(t, {});
    const noTls = await trial(t, { mail: mailTo(bare.port) });
    assert.match(noTls.stderr, /^pricegate: mail: tls: the server does not offer STARTTLS/);
    assert.equal(bare.mails.length, 0);
    const plain = await trial(t, { mail: mailTo(bare.port, { user: undefined, password: undefined, starttls: false }) });
    assert.equal(plain.code, 0, plain.all);
    assert.deepEqual([bare.mails[0].tls, bare.mails[0].login], [false, false]);

    const implicit = await startMailServer(t, { certs: testCerts(), implicit: true, ...LOGIN });
    const smtps = await trial(t, { mail: mailTo(implicit.port, { url: `smtps://localhost:${implicit.port}` }) });
    assert.equal(smtps.code, 0, smtps.all);
    assert.deepEqual([implicit.mails[0].tls, implicit.mails[0].login], [true, true]);

    const strict = await startMailServer(t, { certs: testCerts(), ...LOGIN, refuse: '550 no such user' });
    assert.match((await trial(t, { mail: mailTo(strict.port) })).stderr, /^pricegate: mail: upstream_error: the server refused the mail \(550\): see the mail server's log/);

    const nobody = await trial(t, { webhook: { url: `http://127.0.0.1:${await freePort()}/services/SECRETPATH-1f2e` } });
    assert.match(nobody.stderr, /^pricegate: webhook: connect: /);
    for (const { all } of [fine, wrongLogin, noTls, plain, smtps, nobody]) assert.ok(!/SECRETPATH|mailpassword|wrong-one/.test(all), all);
  });
});
