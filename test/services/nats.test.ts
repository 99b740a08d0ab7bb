import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { lastLine, runToEnd, slowEngine, start, workshop, type Running } from '../e2e/lockstep.js';
import { natsMissing, NatsServer } from '../e2e/nats-server.js';

/** Runs whose lease and journal are in a real NATS server. */

const skip = natsMissing();
const place = workshop({ after });
const data = place.smallDataset();
const steps = 600;
const spec = ['--dataset', data, '--global-batch', '48', '--micro-batch', '6', '--steps', String(steps)];
const server = new NatsServer();
before(async () => {
  if (skip === false) await server.start();
});
after(() => server.close());

const undisturbed = (async () => {
  if (skip !== false) return undefined;
  const flags = ['--workers', '1', '--metrics-port', '0', '--json', '--out', place.path('undisturbed')];
  return lastLine((await runToEnd(['train', ...spec, ...flags], place.folder)).stdout)['weightsDigest'];
})();

type Environment = Readonly<Record<string, string>>;

function startCoordinator(run: string, out: string, ...more: readonly string[]): Running {
  return startCoordinatorIn({}, run, out, ...more);
}

function startCoordinatorIn(environment: Environment, run: string, out: string, ...more: readonly string[]): Running {
  const where = ['--port', '0', '--metrics-port', '0', '--json', '--out', place.path(out)];
  const flags = ['--dataset', data, '--nats', server.url, '--run', run, ...where, ...more];
  return start(['coordinator', ...flags], place.folder, environment);
}

function startWorker(run: string, name: string, environment: Environment = {}): Running {
  const flags = ['--nats', server.url, '--run', run, '--name', name, '--exchange-port', '0', '--metrics-port', '0'];
  return start(['worker', ...flags], place.folder, environment);
}

/** The lease of a coordinator that was killed runs out after a while: until then another one is refused. */
async function startedWhenFree(startIt: () => Running): Promise<Running> {
  for (;;) {
    const attempt = startIt();
    const isRefused = await Promise.race([
      attempt.complained(/RUN_LED/).then(
        () => true,
        () => false,
      ),
      attempt.seen(/"type":"listening"/).then(
        () => false,
        () => true,
      ),
    ]);
    if (!isRefused) return attempt;
    await attempt.ended;
  }
}

async function assertSameRun(coordinator: Running, workers: readonly Running[]): Promise<void> {
  const { code, stdout, stderr } = await coordinator.ended;
  assert.equal(code, 0, stderr);
  assert.equal(lastLine(stdout)['weightsDigest'], await undisturbed);
  for (const worker of workers) assert.equal((await worker.ended).code, 0, (await worker.ended).stderr);
}

test('a standby takes over from a coordinator that was killed', { skip }, async () => {
  const flags = [...spec.slice(2), '--workers', '2'];
  const first = startCoordinator('standby', 'first', ...flags);
  const workers = ['anna', 'bert'].map((name) => startWorker('standby', name));
  await first.seen(/"type":"step"/);
  const second = startCoordinator('standby', 'second', '--standby');
  await second.complained(/standing by for run standby/);
  const third = await runToEnd(
    ['coordinator', ...spec, '--nats', server.url, '--run', 'standby', '--port', '0', '--metrics-port', '0'],
    place.folder,
  );
  assert.equal(third.code, 2, 'a run has one coordinator');
  assert.match(third.stderr, /RUN_LED/);
  first.child.kill('SIGKILL');
  await second.seen(/"type":"restored"/);
  await assertSameRun(second, workers);
  assert.equal(lastLine((await second.ended).stdout)['steps'], steps);
});

test('a coordinator that was stopped while a standby took over can change nothing, and ends', { skip }, async () => {
  const first = startCoordinator('stopped', 'stopped-first', ...spec.slice(2), '--workers', '2');
  const workers = ['anna', 'bert'].map((name) => startWorker('stopped', name));
  await first.seen(/"type":"step"/);
  const second = startCoordinator('stopped', 'stopped-second', '--standby');
  await second.complained(/standing by/);
  first.child.kill('SIGSTOP');
  await second.seen(/"type":"restored"/);
  first.child.kill('SIGCONT');
  await assertSameRun(second, workers);
  const { code, stderr } = await first.ended;
  assert.equal(code, 3, stderr);
  assert.match(stderr, /JOURNAL_TAKEN/);
});

test('when a coordinator dies with the End in its journal, its successor tells it', { skip }, async () => {
  const dying = { NODE_OPTIONS: `--import ${new URL('../e2e/coordinator-faults.js', import.meta.url).href}` };
  for (const [run, ...flags] of [['ended', '--standby'], ['ended-again']] as const) {
    const first = startCoordinatorIn(dying, run, `${run}-first`, ...spec.slice(2), '--workers', '2');
    const workers = ['anna', 'bert'].map((name) => startWorker(run, name));
    await first.seen(/"type":"step"/);
    const takeOver = (): Running => startCoordinator(run, `${run}-second`, ...flags);
    const standby = flags.length > 0 ? takeOver() : undefined; //       else somebody starts the coordinator again
    assert.equal((await first.ended).signal, 'SIGKILL');
    const second = standby ?? (await startedWhenFree(takeOver));
    await assertSameRun(second, workers);
    const next = startCoordinator(run, `${run}-third`, ...spec.slice(2), '--workers', '1');
    await next.seen(/"type":"waiting","joined":0/); //                  nothing is left to take over: a run of its own
    next.child.kill('SIGINT');
    assert.equal((await next.ended).code, 130);
  }
});

test('while NATS is out of reach steps go on, and membership changes when it is back', { skip }, async () => {
  const first = startCoordinator('outage', 'outage', ...spec.slice(2), '--workers', '2');
  const unhurried = slowEngine(2); //                                      the run is not over before the outage is noticed
  const workers = ['anna', 'bert'].map((name) => startWorker('outage', name, unhurried));
  const [anna, bert] = workers as [Running, Running];
  await first.seen(/"type":"step"/);
  await server.kill();
  await first.complained(/NATS at .* is out of reach/);
  const before = /"step":(\d+)/.exec(first.written().slice(-400))?.[1] ?? '0';
  await first.seen(new RegExp(`"type":"step","step":${Number(before) + 50},`));
  bert.child.kill('SIGKILL');
  await first.complained(/worker bert-\w+ is gone/);
  await server.start();
  await first.seen(/"type":"membership".*"left":\["bert-\w+"\]/);
  await assertSameRun(first, [anna]);
});
