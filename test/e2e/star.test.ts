import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { jsonLines, lastLine, processesWith, runToEnd, slowEngine, start, workshop, type Running } from './lockstep.js';

/** `--topology star`: workers that nobody can dial. */

const place = workshop({ after });
const data = place.smallDataset();
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', '300', '--json'];
const flags = [...spec, '--eval-every', '100steps', '--metrics-port', '0'];
const isLinux = process.platform === 'linux';

const undisturbed = (async () => {
  const run = await runToEnd(['train', ...flags, '--workers', '1', '--out', place.path('alone')], place.folder);
  return lastLine(run.stdout)['weightsDigest'];
})();

/** Its address is one that leads nowhere (RFC 5737). */
const hidden = (address: string, name: string, last: number): Running =>
  start(
    [
      ...['worker', '--coordinator', address, '--advertise', `192.0.2.${last}`, '--name', name],
      ...['--exchange-port', '0', '--metrics-port', '0'],
    ],
    place.folder,
    slowEngine(2),
  );

test('workers that nobody can dial train to the same bits, though one is killed and another one joins', async () => {
  const coordinator = start(
    [
      ...['coordinator', ...flags, '--topology', 'star', '--workers', '3', '--port', '0', '--exchange-port', '0'],
      ...['--checkpoint-every', '50steps', '--out', place.path('hidden')],
    ],
    place.folder,
  );
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const [anna, bert, carl] = ['anna', 'bert', 'carl'].map((name, i) => hidden(address!, name, i + 1)) as [
    Running,
    Running,
    Running,
  ];
  await coordinator.seen(/"type":"step","step":20,/);
  bert.child.kill('SIGKILL');
  await coordinator.seenInTurn(/"type":"membership".*bert/, /"type":"step"/);
  const dora = hidden(address!, 'dora', 4);
  await dora.complained(/pulled the state after step \d+ from the hub/);
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  for (const worker of [anna, carl, dora]) assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);
  const checkpoints = jsonLines(stdout).filter(({ type }) => type === 'checkpoint');
  assert.ok(checkpoints.length > 0, 'a checkpoint was fetched from a worker that nobody can dial');
});

test(
  'the coordinator takes the hub along when it is killed, and its successor has another one',
  { skip: !isLinux },
  async () => {
    const out = place.path('killed');
    const run = start(
      ['train', ...flags, '--topology', 'star', '--workers', '2', '--out', out],
      place.folder,
      slowEngine(2),
    );
    await run.seen(/"type":"step","step":20,/);
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const isIt = (pid: string) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0coordinator\0');
    process.kill(Number(processesWith(out, all).filter(isIt)[0]), 'SIGKILL');
    await run.seenInTurn(/"type":"restored"/, /"type":"step"/);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  },
);
