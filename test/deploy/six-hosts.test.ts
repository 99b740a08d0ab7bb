import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/core/paths.js';
import { natsMissing } from '../e2e/nats-server.js';
import { lastLine, processesWith, runToEnd, slowEngine, start, workshop, type Running } from '../e2e/lockstep.js';
import { ip, Switch } from './switch.js';

/**
 * Six hosts on a switch, as network namespaces: NATS on the first, agents on the others, and somebody who launches a run on
 * the last one. Links break, one is slow, one is far away, and a host comes when the run goes on. Needs the right to make
 * namespaces (root, and iproute2).
 */

const network = new Switch();
const children: ChildProcess[] = [];
// Before the folder goes, in which they write.
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const child of children) if ((child.exitCode ?? child.signalCode) === null) await once(child, 'exit');
  for (let left = programs(); left.length > 0; left = programs()) {
    spawnSync('kill', ['-KILL', ...left]); // one that has just ended is no error
    await delay(50);
  }
  network.remove();
});
const place = workshop({ after });
const hosts = ['hub', 'anna', 'bert', 'carla', 'dora', 'emma', 'late'] as const;
type Host = (typeof hosts)[number];

/** @returns why there is no such network here, or false if there is one now */
function layCables(): string | false {
  try {
    network.start();
    for (const host of hosts) network.add(host);
    // One host has a slow link.
    const slow = 'tc qdisc add dev cable root tbf rate 100mbit burst 64kb latency 100ms'.split(' ');
    ip('netns', 'exec', network.nameOf('carla'), ...slow);
    return natsMissing();
  } catch (error) {
    const reason = `no network namespaces here: ${(error as Error).message.trim()}`;
    if (process.env['CI'] === 'true') throw new Error(`CI must be able to make them; ${reason}`, { cause: error });
    return reason;
  }
}

const skip = process.platform === 'linux' ? layCables() : 'network namespaces are of Linux';
const natsUrl = `nats://${network.addressOf('hub')}:4222`;
/** What agents have started. */
function programs(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return processesWith(
    place.folder,
    readdirSync('/proc').filter((name) => /^\d+$/.test(name)),
  );
}

function program(host: Host, command: readonly string[], ready: RegExp): Promise<void> {
  const [first, ...rest] = [...network.inside(host), ...command];
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
  const at = ['--addr', network.addressOf('hub'), '--store_dir', place.path('nats')];
  await program('hub', ['nats-server', '--jetstream', ...at], /Server is ready/);
  // What dora's agent and its programs say to NATS goes through a relay that is 50 ms away and stalls now and then.
  const relay = join(packageRoot, 'dist/test/deploy/slow-relay.js');
  await program('dora', [process.execPath, relay, '4222', network.addressOf('hub'), '4222'], /listening/);
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
    ...(host === 'dora' ? ['--advertise', network.addressOf(host)] : []), // it thinks that NATS is on its own host
  ];
  const running = start(['agent', ...flags], place.folder, slowEngine(15), network.inside(host), 240_000);
  children.push(running.child);
  await running.complained(/serves the queue/);
  return running;
}

test('a run over five hosts ends as it does on one, whatever happens to their links', { skip }, async () => {
  for (const host of ['anna', 'bert', 'carla', 'dora', 'emma'] as const) await agent(host);
  // The launcher sits on a host of its own, which takes part later.
  const flags = ['--nats', natsUrl, '--run', 'wide', '--workers', '5', '--max-workers', '6'];
  const run = start(['launch', ...flags, ...spec], place.folder, {}, network.inside('late'), 240_000);
  await run.seen(/generation:[^\n]*members \[("\w+-0",){4}"\w+-0"\][^]* steps: /);

  // bert, unless it leads the run: whose coordinator is cut off is another test.
  const leader = /agent (\w+)/.exec((await command('runs', '--json')).replaceAll(/"agent":"(\w+)"/g, 'agent $1'))?.[1];
  const cut = leader === 'bert' ? 'anna' : 'bert';
  network.setCable(cut, 'down');
  await run.seen(new RegExp(`left: worker ${cut}-0`));
  await agent('late');
  await run.seen(/joined: worker late-0/);
  network.setCable(cut, 'up');
  await run.seen(new RegExp(`left: worker ${cut}-0[^]*joined: worker ${cut}-0`));

  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const local = ['--workers', '1', '--metrics-port', '0', '--json', '--out', place.path('local')];
  const alone = await runToEnd(['train', ...spec, ...local], place.folder);
  assert.equal(/weights sha256 ([0-9a-f]+)/.exec(stdout)?.[1], lastLine(alone.stdout)['weightsDigest']);
});

async function command(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await start([...args, '--nats', natsUrl], place.folder, {}, network.inside('late'))
    .ended;
  assert.equal(code, 0, stderr);
  return stdout;
}
