import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { refusalReasons } from '../../../src/core/refusals.js';
import { coordinatorCatalogue, workerCatalogue } from '../../../src/metrics/catalogue.js';
import { metricsPage } from '../../../src/metrics/documentation.js';
import { coordinatorMetrics, Registry, workerMetrics } from '../../../src/metrics/index.js';

const all = [...Object.values(coordinatorCatalogue), ...Object.values(workerCatalogue)];

describe('the catalogue', () => {
  test("follows Prometheus's rules for names", () => {
    for (const { name, type, help, labels } of all) {
      assert.match(name, /^lockstep_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), type === 'counter', `${name}: _total is for counters`);
      assert.doesNotMatch(
        name,
        /_(ms|milliseconds|minutes|kib|mib|mb|percent|count|sum|bucket)(_|$)/,
        `${name}: base units`,
      );
      assert.match(help, /^[A-Z].*\.$/, name);
      for (const label of labels) assert.match(label, /^[a-z]+(_[a-z]+)*$/);
    }
  });
  test('buckets rise', () => {
    for (const { name, type, buckets } of all as { name: string; type: string; buckets?: readonly number[] }[]) {
      assert.equal(buckets !== undefined, type === 'histogram', name);
      assert.deepEqual(buckets, buckets && [...new Set(buckets)].sort((a, b) => a - b), name);
    }
  });
  test('one process owns each series', () => {
    const names = (catalogue: object) => Object.values(catalogue as typeof workerCatalogue).map(({ name }) => name);
    const shared = names(coordinatorCatalogue).filter((name) => names(workerCatalogue).includes(name as never));
    assert.deepEqual(shared, ['lockstep_build_info']);
  });
});

describe('what is published', () => {
  test('the coordinator: what the events of a run say', async () => {
    const registry = new Registry();
    const metrics = coordinatorMetrics(registry);
    metrics.observe({
      type: 'started',
      runId: 'r1',
      out: 'o',
      model: 'mlp',
      parameterCount: 9,
      hasAccuracy: true,
      engine: 'wasm',
      worldSize: 3,
      globalBatchSize: 64,
      microBatchSize: 8,
      optimizer: 'adam',
      learningRate: 0.002,
      warmupSteps: 0,
      stepsTotal: 10,
      stepsPerEpoch: 5,
      epochsTotal: 2,
    });
    const seconds = { compute: 1, exchange: 1, update: 1, wait: 1 };
    const step = {
      worldSize: 3,
      generation: 1,
      globalBatchSize: 64,
      learningRate: 0.5,
      gradientNorm: 2,
      seconds,
      imagesPerSecond: 9,
    };
    metrics.observe({
      type: 'step',
      ...step,
      step: 1,
      epoch: 0,
      loss: 2,
      accuracy: 0.1,
      sampleCount: 64,
      skipped: false,
    });
    metrics.observe({
      type: 'step',
      ...step,
      step: 2,
      epoch: 0,
      loss: 1,
      accuracy: 0.75,
      sampleCount: 7,
      skipped: true,
    });
    metrics.observe({ type: 'evaluation', step: 2, epoch: 0, testLoss: 0.5, testAccuracy: 0.9, best: true });
    metrics.observe({ type: 'evaluation', step: 3, epoch: 0, testLoss: 0.6, testAccuracy: 0.8, best: false });
    metrics.observe({ type: 'resumed', step: 1, isFinished: false });
    const beforeSeconds = Date.now() / 1000;
    metrics.observe({ type: 'checkpoint', step: 2, seconds: 0.02 });
    metrics.observe({ type: 'checkpoint-failed', step: 3, reason: 'no room' });
    const text = await registry.metrics();
    const [, writtenSeconds] = /^lockstep_checkpoint_timestamp_seconds (\S+)$/m.exec(text) ?? [];
    assert.ok(Number(writtenSeconds) >= beforeSeconds - 0.001, 'age is the time since then');
    for (const line of [
      'lockstep_checkpoint_step 2',
      'lockstep_checkpoint_seconds_bucket{le="0.03"} 1',
      'lockstep_checkpoint_failures_total 1',
      'lockstep_run_info{model="mlp",engine="wasm"} 1',
      'lockstep_world_size 3',
      'lockstep_planned_steps 10',
      'lockstep_step 2',
      'lockstep_steps_total 2',
      'lockstep_skipped_steps_total 1',
      'lockstep_images_total 71',
      'lockstep_global_batch_size 64',
      'lockstep_learning_rate 0.5',
      'lockstep_loss 1',
      'lockstep_accuracy_ratio 0.75',
      'lockstep_gradient_norm 2',
      'lockstep_generation 1',
      'lockstep_test_accuracy_ratio 0.8',
      'lockstep_best_test_accuracy_ratio 0.9',
      'lockstep_test_loss 0.6',
      'lockstep_evaluations_total 2',
    ])
      assert.ok(text.split('\n').includes(line), line);
    assert.match(text, /^process_resident_memory_bytes /m);
    assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
  });

  test('a run without accuracy publishes none, but its metrics by name', async () => {
    const registry = new Registry();
    const metrics = coordinatorMetrics(registry);
    metrics.observe({
      type: 'evaluation',
      step: 2,
      epoch: 0,
      testLoss: 0.5,
      testAccuracy: null,
      best: true,
      metrics: { mae: 2 },
    });
    const text = await registry.metrics();
    assert.match(text, /^lockstep_test_loss 0\.5$/m);
    assert.match(text, /^lockstep_test_metric\{metric="mae"\} 2$/m);
    assert.doesNotMatch(text, /^lockstep_\w*accuracy/m);
  });

  test('a worker: phases in seconds, its own images, bytes', async () => {
    const registry = new Registry();
    const metrics = workerMetrics(registry);
    metrics.observeStep({ compute: 0.005, exchange: 0.0015, update: 0.0005, wait: 0 }, 96);
    metrics.observeStep({ compute: 0.007, input: 0.003, exchange: 0.0015, update: 0.0005, wait: 0.25 }, 0);
    metrics.exchanged.inc({ direction: 'sent', codec: 'f32' }, 1_000);
    metrics.arena.set(4_096);
    const text = await registry.metrics();
    for (const line of [
      'lockstep_worker_steps_total 2',
      'lockstep_worker_images_total 96',
      'lockstep_worker_step_phase_seconds_sum{phase="compute"} 0.012',
      'lockstep_worker_input_wait_seconds_total 0.003',
      'lockstep_worker_step_phase_seconds_count{phase="wait"} 2',
      'lockstep_worker_step_phase_seconds_bucket{le="0.25",phase="wait"} 2',
      'lockstep_worker_exchange_bytes_total{direction="sent",codec="f32"} 1000',
      'lockstep_worker_arena_bytes 4096',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });

  test('a counter whose labels are known has all its series, at 0', async () => {
    const registry = new Registry();
    workerMetrics(registry);
    const text = await registry.metrics();
    const series = (name: string): string[] => text.split('\n').filter((line) => line.startsWith(`${name}{`));
    const computed = ['late', 'behind'].flatMap((reason) =>
      ['used', 'in vain'].map(
        (outcome) => `lockstep_worker_second_computations_total{reason="${reason}",outcome="${outcome}"} 0`,
      ),
    );
    assert.deepEqual(series('lockstep_worker_second_computations_total'), computed);
    assert.equal(series('lockstep_worker_refused_connections_total').length, refusalReasons.length);
  });
  test('members: those of the current generation are up, those before are down', async () => {
    const registry = new Registry();
    const metrics = coordinatorMetrics(registry);
    metrics.observeMembers(['a', 'b']);
    metrics.memberWaitedFor.inc({ worker: 'b' }, 0.5);
    metrics.observeMembers(['a', 'c']);
    const text = await registry.metrics();
    for (const line of [
      'lockstep_member_up{worker="a"} 1',
      'lockstep_member_up{worker="b"} 0',
      'lockstep_member_up{worker="c"} 1',
      'lockstep_member_waited_for_seconds_total{worker="b"} 0.5',
      'lockstep_member_waited_for_seconds_total{worker="c"} 0',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });

  test('every series says which run and which worker it belongs to', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ run: 'r1', worker: 'w' });
    workerMetrics(registry).rank.set(2);
    assert.match(await registry.metrics(), /^lockstep_worker_rank\{run="r1",worker="w"\} 2$/m);
  });

  for (const [program, metrics] of [
    ['the coordinator', coordinatorMetrics],
    ['a worker', workerMetrics],
  ] as const)
    test(`${program}: Prometheus's own tool finds nothing to complain about`, async (t) => {
      const registry = new Registry();
      metrics(registry);
      const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: await registry.metrics(),
        encoding: 'utf8',
      });
      if (error && !process.env['CI'])
        return t.skip('NOT CHECKED: promtool (Debian: prometheus) is not here; .ci/run installs it');
      assert.deepEqual({ status, output: stdout + stderr }, { status: 0, output: '' });
    });

  test('a name that is taken is refused', () => {
    const registry = new Registry();
    workerMetrics(registry);
    assert.throws(() => workerMetrics(registry), /already been registered/);
  });
});

describe('docs/metrics.md', () => {
  test('is what the catalogue says (`npm run docs` writes it)', () => {
    assert.equal(readFileSync(join(packageRoot, 'docs', 'metrics.md'), 'utf8'), metricsPage());
  });
  test('names every metric', () => {
    for (const { name } of all) assert.ok(metricsPage().includes(`\`${name}\``), name);
  });
});
