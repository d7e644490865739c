// The log is for machines and for terminals: what comes from outside is a value in a line, never a
// line, never more than 256 bytes, never something that a terminal obeys.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';

import { external, instrument, scene } from '../support/scene.js';
import { status } from '../support/upstream.js';
import { until } from '../support/wait.js';
import { connectWs } from '../support/wsclient.js';

const FORGED = '{"ts":"2026-01-01T00:00:00.000Z","level":"info","event":"forged"}';
const EVIL = `x\n${FORGED}\r\n\u001b[2J\u007f\u0000"`;
const SECRET = 'thirty-two bytes of secret, or more';

function admin(sub) {
  const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${b64({ alg: 'HS256' })}.${b64({ role: 'admin', sub })}`;
  return `Bearer ${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

test('nothing from outside forges a line, or makes one long', async (t) => {
  const { redis, gateway } = await scene(t, {
    redis: true,
    args: ['--log-level', 'debug'],
    script: (u) => {
      const said = JSON.stringify({ code: 404, status: 'error', message: EVIL });
      u.set('twelvedata', 'KC1', status(200, said, { 'content-type': 'application/json' }));
      u.set('yahoo', '*', status(500, EVIL.replace('\0', '')));
    },
    config: {
      auth: { jwt: { alg: 'HS256', secret: SECRET } },
      listen: { trusted_proxies: ['127.0.0.0/8'] },
      quality: { dead_letter_dir: null },
      instruments: [
        instrument('coffee', [['twelvedata', 'KC1']]),
        instrument('AAPL', [['yahoo', 'AAPL']]),
        external('tea'),
      ],
      observations: [{ name: 'rain', sources: [] }],
    },
  });
  const lines = (event) => gateway.logs.filter((l) => l.event === event);
  const authorization = admin(EVIL.replace('\0', ''));
  const shown = EVIL.replace(/[\n\r\0]/g, ''); // a path with line breaks is refused before it is one
  const evil = encodeURIComponent(shown);
  const long = 'a'.repeat(3000);
  for (const path of [
    `/data-health/reset-circuit/${evil}`, `/data-health/reset-circuit/%ff%fe${evil}`, `/data-health/reset-circuit/${long}`,
    `/admin/clients/${evil}/close`, `/admin/clients/${long}/close`,
  ]) {
    const answer = await gateway.post(path, { headers: { authorization, 'x-forwarded-for': `${FORGED}, <b>` } });
    assert.equal(answer.status, 404, `${path.slice(0, 60)}: ${answer.body}`);
  }
  // Refused, so that its path is what is written down.
  await gateway.post(`/data-health/reset-circuit/${evil}${long}`, { headers: { 'x-forwarded-for': '192.0.2.9' } });
  await gateway.get(`/${evil}`, { headers: { 'user-agent': FORGED, referer: FORGED, cookie: FORGED } });

  const client = await connectWs(`${gateway.wsUrl}?${evil}=1`);
  for (const action of [EVIL, 'subscribe', 'refresh', 'auth'])
    client.send({ action, symbols: [EVIL, long.slice(0, 500)], token: EVIL, id: EVIL.slice(0, 60) });
  client.send(EVIL);
  client.send({ action: 'ping', id: 'last' });
  await client.next((m) => m.id === 'last');
  await client.close(4000, FORGED);

  const items = [
    EVIL, JSON.stringify({ symbol: EVIL, price: 1 }), JSON.stringify({ symbol: 'tea', price: 1, source: EVIL, market: EVIL }),
    JSON.stringify({ symbol: 'tea', price: EVIL }), `{"symbol":"tea","price":1,"${long}":1`, JSON.stringify({ [EVIL]: 1 }),
  ];
  for (const item of items) {
    await redis.command('PUBLISH', 'tea:price:stream', item);
    await redis.command('PUBLISH', 'rain:observation:stream', item);
  }
  await until(() => lines('bus_message_invalid').length > 0, 'a line about an item');
  await until(() => lines('audit').length >= 6, 'the audit');
  await until(() => gateway.logs.some((l) => /_all_sources_failed$/.test(l.event)), 'a line about a source');

  assert.deepEqual(gateway.other, [], 'every line is JSON');
  assert.deepEqual(lines('forged'), []);
  for (const line of gateway.logs) {
    for (const [name, value] of Object.entries(line)) {
      if (typeof value !== 'string') continue;
      assert.ok(Buffer.byteLength(value) <= 256 + 2, `${name} of ${line.event}: ${value.length}`);
    }
  }
  const audit = lines('audit');
  assert.ok(audit.some((l) => l.what.startsWith(`x${FORGED}`) && l.who.startsWith('x\n{')), 'told as it was, as a value');
  assert.deepEqual([...new Set(audit.map((l) => l.address))], ['127.0.0.1', '192.0.2.9']);
});
