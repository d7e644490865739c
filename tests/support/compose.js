// docker/compose.yaml as Compose reads it: merged, and with its variables filled in.
//
//   const { services, networks, volumes } = compose({ REDIS_PASSWORD: 'x', GRAFANA_PASSWORD: 'y' });
//   interpolate('${A:-b}', {})     'b'; throws what "${A:?why}" says where A is not set

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

export const docker = fileURLToPath(new URL('../../docker/', import.meta.url));

/** "$$" is a dollar; "${NAME}", "${NAME:-else}", "${NAME:?why}". Anything else with a dollar is a mistake. */
export function interpolate(text, env) {
  return text.replace(/\$(\$|\{(\w+)(?::([-?])([^}]*))?\}|)/g, (all, inner, name, how, word) => {
    if (inner === '$') return '$';
    if (!name) throw new Error(`"${text}": a dollar that Compose does not take`);
    if (env[name]) return env[name];
    if (how === '?') throw new Error(`${name} ${word}`);
    return how === '-' ? word : '';
  });
}

const filled = (value, env) => {
  if (typeof value === 'string') return interpolate(value, env);
  if (Array.isArray(value)) return value.map((v) => filled(v, env));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, env)]));
  return value;
};

/** The file as it is written, but for the merging. */
export const source = () => parse(readFileSync(join(docker, 'compose.yaml'), 'utf8'), { merge: true });

export const compose = (env) => filled(source(), env);

/** A service's mounts: {from, to, readOnly, named}; `from` a path of this machine or the name of a volume. */
export const mounts = (service) => (service.volumes ?? []).map((text) => {
  const [from, to, mode] = text.split(':');
  const named = !/^[./]/.test(from);
  return { from: named ? from : resolve(docker, from), to, readOnly: mode === 'ro', named };
});

/** The Dockerfile's instructions, one line each: [['FROM', '${BASE} AS build'], ...]. */
export const dockerfile = () => readFileSync(join(docker, 'Dockerfile'), 'utf8')
  .replace(/^#.*\n/gm, '').replace(/\\\n/g, '').trim().split('\n').filter(Boolean)
  .map((line) => /^(\w+)\s+(.*)$/.exec(line).slice(1));

/** What the image's last stage says: {user, env, ports, health, entrypoint, command, args}. */
export function image() {
  const all = dockerfile();
  const last = all.slice(all.map(([word]) => word).lastIndexOf('FROM'));
  const of = (word) => last.filter(([w]) => w === word).map(([, rest]) => rest);
  const json = (text) => JSON.parse(text.slice(text.indexOf('[')));
  return {
    base: all.find(([word, rest]) => word === 'ARG' && rest.startsWith('BASE='))[1].slice(5),
    user: of('USER').at(-1),
    env: Object.fromEntries(of('ENV').flatMap((text) => text.trim().split(/\s+/)).map((pair) => pair.split('='))),
    ports: of('EXPOSE').flatMap((text) => text.split(' ')),
    args: Object.fromEntries(of('ARG').filter((text) => text.includes('=')).map((pair) => pair.split('='))),
    labels: Object.fromEntries([...of('LABEL').join(' ').matchAll(/(\S+)="([^"]*)"/g)].map(([, k, v]) => [k, v])),
    health: json(of('HEALTHCHECK')[0]),
    entrypoint: json(of('ENTRYPOINT')[0]),
    command: json(of('CMD').at(-1)),
  };
}
