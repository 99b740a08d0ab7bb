import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, afterEach, beforeEach, test } from 'node:test';
import { connectNats, type NatsConnection } from '../../src/transport/nats/connection.js';
import { serveRunFiles, type RunFilesSource } from '../../src/transport/nats/run-files.js';
import { RunLedger } from '../../src/transport/nats/run-ledger.js';
import { slowEngine, start } from '../e2e/lockstep.js';
import { natsMissing } from '../e2e/nats-server.js';
import { agentsAtWork } from './agents-at-work.js';

/** Results of runs that a real NATS server has queued, brought to whoever asks. */

const skip = natsMissing();
const { place, server, agent, endAgents, launch, command } = agentsAtWork({ after, beforeEach, afterEach });
const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const unfinished = (): readonly string[] => readdirSync(place.path('runs')).filter((name) => name.startsWith('.'));

test(
  'results of a run that is over come from the agent that has them, and nothing is overwritten',
  { skip },
  async () => {
    const anna = agent('anna', 2, slowEngine(1));
    const going = launch('going', 120, '--checkpoint-every', '10steps');
    await going.seen(/ steps: /);
    assert.match(
      (await command('runs', 'fetch', 'going')).stderr,
      /run going is not over: it is running .*RUN_NOT_OVER/,
    );
    assert.equal((await going.ended).code, 0, (await going.ended).stderr);

    const { code, stdout, stderr } = await command('runs', 'fetch', 'going');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^results of run going are in runs\/going$/m);
    assert.deepEqual(readdirSync(place.path('runs/going')).sort(), [
      ...['best.safetensors', 'checkpoints', 'events.jsonl', 'final.safetensors', 'journal.jsonl', 'metrics.jsonl'],
      ...['picture.json', 'report.html', 'report.json', 'spec.json'],
    ]);
    assert.deepEqual(readdirSync(place.path('runs/going/checkpoints')), ['00000120.safetensors']);
    for (const name of ['final.safetensors', 'report.json', 'metrics.jsonl', 'checkpoints/00000120.safetensors'])
      assert.equal(
        digest(readFileSync(place.path(`runs/going/${name}`))),
        digest(readFileSync(place.path(`agent-anna/runs/going.out/${name}`))),
        name,
      );

    assert.match((await command('runs', 'fetch', 'going')).stderr, /--out runs\/going is there already/);
    assert.match((await command('runs', 'fetch', 'nobody')).stderr, /NATS knows no run nobody/);
    await endAgents(anna);
    const gone = await command('runs', 'fetch', 'going', '--out', place.path('again'));
    assert.equal(gone.code, 3);
    assert.match(
      gone.stderr,
      /agent anna does not hand out the results \(no such agent is connected\) \[AGENT_SILENT\]/,
    );
    assert.deepEqual(unfinished(), []);
  },
);

test('keys go with the end of a run, the rest with runs prune, and its name is free again', { skip }, async () => {
  const ours = (part: string) => readdirSync(place.path('agent-dora/runs')).filter((name) => name.includes(part));
  const dora = agent('dora', 2);
  await dora.complained(/serves/);
  assert.match((await command('runs')).stderr, /^no runs in NATS/m);
  const digests: unknown[] = [];
  for (const removed of [1, 2]) {
    const { code, stdout, stderr } = await launch('again', 60).ended;
    assert.equal(code, 0, stderr);
    digests.push(/weights sha256 (\w+)/.exec(stdout)?.[1]);
    assert.match((await command('runs', 'prune')).stderr, /which runs\?/);
    const young = await command('runs', 'prune', '--older-than', '1h');
    assert.match(young.stderr, /^0 of 1 runs that are over removed/m);
    const trial = await command('runs', 'prune', '--keep', '0', '--dry-run');
    assert.match(trial.stdout, /^run again is finished: finished after 60 steps$/m);
    assert.deepEqual(ours('.out'), ['again.out']);
    const ledger = await RunLedger.open(await client('onlooker'));
    assert.deepEqual(await ledger.secrets.list(), []);
    await command('runs', 'prune', '--keep', '0');
    await dora.complained(new RegExp(`(removed what was left of run again[^]*){${removed}}`));
    assert.deepEqual(ours('again'), []);
    assert.match((await command('runs')).stderr, /^no runs in NATS/m);
  }
  assert.equal(digests[0], digests[1]);
  await endAgents(dora);
});

test('a second agent of one name is refused, and says so', { skip }, async () => {
  const first = agent('emma');
  await first.complained(/serves/);
  const flags = ['--nats', server().url, '--name', 'emma', '--slots', '1', '--dir', place.path('elsewhere')];
  const { code, stderr } = await start(['agent', ...flags], place.folder).ended;
  assert.equal(code, 2);
  assert.match(stderr, /an agent emma is there already, on .* \[AGENT_NAME_TAKEN\]/);
  await endAgents(first);
});

test('a run that ended before it had results is said to have none', { skip }, async () => {
  const waiting = launch('waiting', 60);
  await waiting.seen(/is in the queue/);
  await command('stop', 'waiting');
  const anna = agent('bert');
  assert.equal((await waiting.ended).code, 130);
  const { code, stderr } = await command('runs', 'fetch', 'waiting');
  assert.equal(code, 1);
  assert.match(stderr, /run waiting left no results: it stopped: before it began \[NO_RESULTS\]/);
  await endAgents(anna);
});

const log = { info: () => undefined, warn: () => undefined };
const connections: NatsConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
});

async function client(name: string): Promise<NatsConnection> {
  const connection = await connectNats({ url: server().url }, name, { log });
  connections.push(connection);
  return connection;
}

/** An agent of which nothing is real but what it says about files. */
async function supposedAgent(name: string, source: RunFilesSource): Promise<void> {
  const connection = await client(name);
  await serveRunFiles(connection, name, source, log);
  const ledger = await RunLedger.open(connection);
  const request = { name: `of-${name}`, workers: 1, maxWorkers: 1, priority: 5, flags: [], submittedMs: 0 };
  await ledger.runs.create(request.name, { ...request, state: 'finished', agent: name });
}

test(
  'a large file comes in pieces that the server takes, and one that changed on the way is refused',
  { skip },
  async () => {
    await server().kill();
    await server().start('max_payload: 65536');
    const content = Buffer.alloc(70e6 + 17, 'seventy million bytes and some');
    const file = { name: 'final.safetensors', bytes: content.length, sha256: digest(content) };
    let largest = 0;
    const read = (_run: string, _name: string, offset: number, bytes: number) => {
      largest = Math.max(largest, bytes);
      return Promise.resolve(content.subarray(offset, offset + bytes));
    };
    await supposedAgent('honest', { list: () => Promise.resolve([file]), read });
    const whole = await command('runs', 'fetch', 'of-honest');
    assert.equal(whole.code, 0, whole.stderr);
    assert.match(whole.stderr, /fetching 1 files, 70.0 MB, from agent honest\n64.\d MB of 70.0 MB/);
    assert.equal(digest(readFileSync(place.path('runs/of-honest/final.safetensors'))), file.sha256);
    assert.ok(largest < 65536);

    const other = { ...file, sha256: digest(Buffer.from('something else')) };
    await supposedAgent('broken', { list: () => Promise.resolve([other]), read });
    const { code, stderr } = await command('runs', 'fetch', 'of-broken');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /final.safetensors of agent broken has the SHA-256 \w{12}, and arrived with \w{12} \[RESULTS_DAMAGED\]/,
    );
    assert.deepEqual(
      readdirSync(place.path('runs')).filter((name) => name.includes('broken')),
      [],
    );
  },
);

test('a file that would lie outside of the folder is refused', { skip }, async () => {
  const list = () =>
    Promise.resolve(
      ['final.safetensors', '../stolen'].map((name) => ({ name, bytes: 1, sha256: digest(Buffer.of(0)) })),
    );
  await supposedAgent('hostile', { list, read: () => Promise.resolve(Buffer.of(0)) });
  const { code, stderr } = await command('runs', 'fetch', 'of-hostile');
  assert.equal(code, 1);
  assert.match(stderr, /agent hostile offers \.\.\/stolen, which no run has as a result \[RESULTS_UNEXPECTED\]/);
  assert.ok(!existsSync(place.path('stolen')) && !existsSync(place.path('runs/of-hostile')));
});
