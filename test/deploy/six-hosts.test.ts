import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { natsMissing } from '../e2e/nats-server.js';
import { lastLine, processesWith, runToEnd, slowEngine, start, workshop, type Running } from '../e2e/lockstep.js';

/**
 * Six hosts on a switch, as network namespaces: NATS on the first, agents on the others, and somebody who launches a run on
 * the last one. Links break, one is slow, one is far away, and a host comes when the run goes on. Needs the right to make
 * namespaces (root, and iproute2).
 */

const place = workshop({ after });
const prefix = `ls${process.pid}`;
const bridge = `${prefix}-switch`;
const hosts = ['hub', 'anna', 'bert', 'carla', 'dora', 'emma', 'late'] as const;
type Host = (typeof hosts)[number];
const addressOf = (host: Host): string => `10.204.61.${hosts.indexOf(host) + 1}`;
const nameOf = (host: Host): string => `${prefix}-${host}`;
const natsUrl = `nats://${addressOf('hub')}:4222`;

function tool(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
const ip = (...args: readonly string[]): void => tool('ip', ...args);

/** The switch is in a namespace of its own, so that nothing of this machine is touched. */
function layCables(): string | false {
  try {
    ip('netns', 'add', bridge);
    ip('-n', bridge, 'link', 'add', 'switch', 'type', 'bridge');
    ip('-n', bridge, 'link', 'set', 'switch', 'up');
    for (const [i, host] of hosts.entries()) {
      const name = nameOf(host);
      ip('netns', 'add', name);
      ip('link', 'add', 'cable', 'netns', name, 'type', 'veth', 'peer', 'name', `port${i}`, 'netns', bridge);
      ip('-n', bridge, 'link', 'set', `port${i}`, 'master', 'switch', 'up');
      ip('-n', name, 'addr', 'add', `${addressOf(host)}/24`, 'dev', 'cable');
      for (const device of ['lo', 'cable']) ip('-n', name, 'link', 'set', device, 'up');
    }
    // One host has a slow link.
    tool(
      'ip',
      'netns',
      'exec',
      nameOf('carla'),
      'tc',
      ...'qdisc add dev cable root tbf rate 100mbit burst 64kb latency 100ms'.split(' '),
    );
    return natsMissing();
  } catch (error) {
    const reason = `no network namespaces here: ${(error as Error).message.trim()}`;
    if (process.env['CI'] === 'true') throw new Error(`CI must be able to make them; ${reason}`, { cause: error });
    return reason;
  }
}

const skip = process.platform === 'linux' ? layCables() : 'network namespaces are of Linux';
const children: ChildProcess[] = [];
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const pid of programs()) process.kill(Number(pid), 'SIGKILL');
  for (const child of children) if ((child.exitCode ?? child.signalCode) === null) await once(child, 'exit');
  for (const name of [...hosts.map(nameOf), bridge]) spawnSync('ip', ['netns', 'del', name]);
});

/** What agents have started. */
function programs(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return processesWith(
    place.folder,
    readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  );
}

const inside = (host: Host): readonly string[] => ['ip', 'netns', 'exec', nameOf(host)];

function program(host: Host, command: readonly string[], ready: RegExp): Promise<void> {
  const [first, ...rest] = [...inside(host), ...command];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let words = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        words += text;
        if (ready.test(words)) resolve();
      });
    child.once('exit', () => reject(new Error(`${command[0]} ended: ${words}`)));
  });
}

before(async () => {
  if (skip !== false) return;
  const at = ['--addr', addressOf('hub'), '--store_dir', place.path('nats')];
  await program('hub', ['nats-server', '--jetstream', ...at], /Server is ready/);
  // What dora's agent and its programs say to NATS goes through a relay that is 50 ms away and stalls now and then.
  const relay = join(packageRoot, 'dist/test/deploy/slow-relay.js');
  await program('dora', [process.execPath, relay, '4222', addressOf('hub'), '4222'], /listening/);
});

const data = place.smallDataset();
const steps = 900;
const spec = ['--dataset', data, '--global-batch', '60', '--micro-batch', '6', '--steps', String(steps)];

async function agent(host: Host): Promise<Running> {
  const url = host === 'dora' ? 'nats://127.0.0.1:4222' : natsUrl;
  const flags = [
    '--nats',
    url,
    '--slots',
    '1',
    '--name',
    host,
    '--dir',
    place.path(`of-${host}`),
    '--listen',
    '0.0.0.0',
    ...(host === 'dora' ? ['--advertise', addressOf(host)] : []), // it thinks that NATS is on its own host
  ];
  const running = start(['agent', ...flags], place.folder, slowEngine(15), inside(host), 240_000);
  children.push(running.child);
  await running.complained(/serves the queue/);
  return running;
}

test('a run over five hosts ends as it does on one, whatever happens to their links', { skip }, async () => {
  for (const host of ['anna', 'bert', 'carla', 'dora', 'emma'] as const) await agent(host);
  // The launcher sits on a host of its own, which takes part later.
  const flags = ['--nats', natsUrl, '--run', 'wide', '--workers', '5', '--max-workers', '6'];
  const run = start(['launch', ...flags, ...spec], place.folder, {}, inside('late'), 240_000);
  await run.seen(/generation:[^\n]*members \[("\w+-0",){4}"\w+-0"\][^]* steps: /);

  // bert, unless it leads the run: whose coordinator is cut off is another test.
  const leader = /agent (\w+)/.exec((await command('runs', '--json')).replaceAll(/"agent":"(\w+)"/g, 'agent $1'))?.[1];
  const cut = leader === 'bert' ? 'anna' : 'bert';
  ip('-n', nameOf(cut), 'link', 'set', 'cable', 'down');
  await run.seen(new RegExp(`left: worker ${cut}-0`));
  await agent('late');
  await run.seen(/joined: worker late-0/);
  ip('-n', nameOf(cut), 'link', 'set', 'cable', 'up');
  await run.seen(new RegExp(`left: worker ${cut}-0[^]*joined: worker ${cut}-0`));

  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const local = ['--workers', '1', '--metrics-port', '0', '--json', '--out', place.path('local')];
  const alone = await runToEnd(['train', ...spec, ...local], place.folder);
  assert.equal(/weights sha256 ([0-9a-f]+)/.exec(stdout)?.[1], lastLine(alone.stdout)['weightsDigest']);
});

async function command(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await start([...args, '--nats', natsUrl], place.folder, {}, inside('late')).ended;
  assert.equal(code, 0, stderr);
  return stdout;
}
