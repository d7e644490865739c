// What is written about the command line, held against the program: docker/man/pricegate.1 and the
// completion of bash and zsh know every command and option that there is, and nothing else.
// (pricegate.json(5) is held against the settings by tests/unit/base/test_manual.c.)

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { runCommand } from '../support/gateway.js';
import { temporaryFolder } from '../support/wait.js';

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const text = (name) => readFileSync(path(name), 'utf8');
const missing = (program) => (process.env.PATH.split(':').some((folder) => existsSync(join(folder, program)))
  ? false : `${program} is not installed`);
const sorted = (list) => [...new Set(list)].sort();

const manual = text('docker/man/pricegate.1');
const providers = [...text('feeds/providers/table.c').matchAll(/^ {4}X\((\w+)\)/gm)].map((m) => m[1]);

/** {commands, options, takes: {command: [options]}}, asked of the program. A last word that is no option
 *  keeps every command from doing anything. */
let asked;
const program = () => (asked ??= (async () => {
  const { stdout } = await runCommand(['--help']);
  const commands = [...stdout.matchAll(/^ {2}pricegate \[?([a-z]+)\]? /gm)].map((m) => m[1]);
  const options = [...stdout.matchAll(/^ {2}(--[a-z-]+) /gm)].map((m) => m[1]);
  assert.ok(commands.length >= 8 && options.length >= 14, stdout);
  const takes = {};
  for (const command of commands) {
    const accepted = await Promise.all(options.map(async (option) => {
      let said = await runCommand([command, `${option}=1`, '--nothing']);
      if (/takes no value/.test(said.stderr)) said = await runCommand([command, option, '--nothing']);
      assert.match(said.stderr, /not an option of|no such option/);
      return /--nothing: no such option/.test(said.stderr) && option;
    }));
    takes[command] = accepted.filter(Boolean).sort();
  }
  return { commands, options, takes };
})());

/** A section of the manual page. */
const section = (name) => manual.match(new RegExp(`^\\.Sh ${name}\\n([^]*?)(?=^\\.Sh |$(?![^]))`, 'm'))[1];

test('pricegate(1) has every command with its options, and nothing else', async () => {
  const { commands, options, takes } = await program();
  const forms = section('SYNOPSIS').split(/^\.Nm$/m).slice(1);
  const found = {};
  for (const form of forms.slice(0, -1)) {
    const command = form.match(/Cm ([a-z]+)/)[1];
    found[command] = sorted([...form.matchAll(/Fl Fl ([a-z-]+)/g)].map((m) => `--${m[1]}`));
  }
  assert.deepEqual(found, takes);
  assert.match(forms.at(-1), /Fl Fl version \| Fl Fl help/);
  const items = (name, kind) => sorted([...section(name).matchAll(new RegExp(`^\\.It ${kind} ([a-z-]+)`, 'gm'))].map((m) => m[1]));
  assert.deepEqual(items('COMMANDS', 'Cm'), sorted(commands));
  assert.deepEqual(items('OPTIONS', 'Fl Fl').map((name) => `--${name}`), sorted([...options, '--help', '--version']));
});

test('the manual pages name every provider', () => {
  const said = text('docker/man/pricegate.json.5').match(/stands for one of ([^.]*)\./)[1];
  assert.deepEqual(said.split(/[\s,]+/), providers);
});

test('mandoc finds no fault in the manual pages', { skip: missing('mandoc') }, () => {
  const pages = readdirSync(path('docker/man')).map((name) => path(`docker/man/${name}`));
  assert.equal(pages.length, 2);
  const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', ...pages], { encoding: 'utf8' });
  // Only installed pages can refer to each other.
  assert.deepEqual((stdout + stderr).split('\n').filter((line) => line && !/referenced manual not found/.test(line)), []);
});

test('man and groff find none either', { skip: missing('man') || missing('groff') }, () => {
  for (const name of readdirSync(path('docker/man'))) {
    const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
    const { status, stdout, stderr } = spawnSync('man', ['--warnings', '-l', path(`docker/man/${name}`)], { encoding: 'utf8', env });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(stdout, /SEE ALSO/);
  }
});

const BASH = 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pricegate; [ "${#COMPREPLY[@]}" = 0 ] || printf "%s\\n" "${COMPREPLY[@]}"';
async function bash(words, cwd) {
  const args = ['--norc', '-c', BASH, path('docker/completion/pricegate.bash'), 'pricegate', ...words];
  const { stdout, stderr } = await promisify(execFile)('bash', args, { cwd });
  assert.equal(stderr, '');
  return stdout.split('\n').filter(Boolean).sort();
}

test('bash completes commands, their options, values and files', async (t) => {
  const { commands, takes } = await program();
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  for (const name of ['desk.json', 'desk two.json', 'other.json']) writeFileSync(join(folder.path, name), '{}');
  mkdirSync(join(folder.path, 'desks'));

  assert.deepEqual(await bash(['']), sorted([...commands, ...takes.run, '--help', '--version']));
  for (const command of commands) assert.deepEqual(await bash([command, '--']), takes[command], command);
  for (const [words, expected] of [
    [['ch'], ['check']],
    [['s'], ['status']],
    [['nonsense', ''], []],
    [['--demo', '--'], takes.run.filter((option) => option !== '--demo')],
    [['fetch', '--pro'], ['--provider']],
    [['fetch', '--provider', ''], [...providers].sort()],
    [['fetch', '--provider', 'e'], ['ecb', 'eia', 'exchangerate']],
    [['fetch', '--provider', '=', 'y'], ['yahoo']],
    [['fetch', '--provider', '='], [...providers].sort()],
    [['run', '--log-level', ''], ['debug', 'error', 'info', 'warn']],
    [['key', 'ops', '--role', 'a'], ['admin', 'analyst']],
    [['run', '--port', ''], []],
    [['check', '--config', 'desk'], ['desk two.json', 'desk.json', 'desks']],
    [['check', '--config', '=', 'o'], ['other.json']],
    [['token', '--private-key', 'o'], ['other.json']],
  ]) assert.deepEqual(await bash(words, folder.path), expected, words.join(' '));
});

// A zsh in a terminal of its own, into which a line and a tab are typed; it ends when the pattern has come back.
const ZSH = `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z "PS1=; fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; print COMP''LETES"
zpty -r z said '*COMPLETES*' && zpty -w -n z "$2"$'\\t' && zpty -r z said "*$3*"`;

test('zsh completes commands, options and values', { skip: missing('zsh') }, async () => {
  for (const [line, more] of [['pricegate ch', 'eck'], ['pricegate check --c', 'onfig'],
    ['pricegate fetch --provider y', 'ahoo'], ['pricegate token --', '--private-key'], ['pricegate --d', 'emo']]) {
    await promisify(execFile)('zsh', ['-f', '-c', ZSH, 'zsh', path('docker/completion'), line, more], { timeout: 20_000 });
  }
});

test('zsh knows the same options', { skip: missing('zsh') }, async () => {
  const { commands, takes } = await program();
  const source = text('docker/completion/_pricegate');
  execFileSync('zsh', ['-n', path('docker/completion/_pricegate')]);
  const table = (name) => source.match(new RegExp(`${name}=\\(\\n([^]*?)\\n\\)`))[1];
  const found = Object.fromEntries([...table('takes').matchAll(/^ {2}([a-z]+) '([^']*)'$/gm)]
    .map(([, command, names]) => [command, names.split(' ').map((name) => `--${name}`).sort()]));
  assert.deepEqual(found, takes);
  const defined = [...table('option').matchAll(/^ {2}([a-z-]+) '.*--\1/gm)].map((m) => `--${m[1]}`);
  assert.deepEqual(sorted(defined), sorted(Object.values(takes).flat()));
  assert.deepEqual([...table('commands').matchAll(/^ {2}'([a-z]+):/gm)].map((m) => m[1]), commands);
  assert.deepEqual(source.match(/:provider:\(([^)]*)\)/)[1].split(' '), providers);
});
