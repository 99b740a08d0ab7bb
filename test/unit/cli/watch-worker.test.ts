import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchWorker } from '../../../src/cli/watch-worker.js';
import { Registry, workerMetrics } from '../../../src/metrics/index.js';
import { begunAt } from '../worker/training-harness.js';

const seconds = { compute: 0.005, wait: 0.001, exchange: 0, update: 0 };
const stepOf = (step: number, slowestRank: number) => ({
  record: { seconds } as never,
  timing: { step, beginMs: step * 200, seconds, slowestRank },
  moved: { bytes: 100, hiddenBytes: 10 },
  ownSampleCount: 4,
  tensorCount: step,
});

test('several steps at a time count as they would one by one, and bytes by the codec of the run', async () => {
  const registry = new Registry();
  const watch = watchWorker(workerMetrics(registry), () => undefined);
  const begin = begunAt({ state: { progression: { step: 0 } } } as never, { lastStep: 9, shares: [1, 3] });
  watch.begun(begin, 1, 'int8');
  watch.stepsFinished([stepOf(1, 0), stepOf(2, 0), stepOf(3, 1), stepOf(4, 0)], 64, {
    sentBytes: 50,
    receivedBytes: 30,
  });
  watch.stepsFinished([stepOf(5, 0)], 64, { sentBytes: 70, receivedBytes: 40 });
  watch.begun(begin, 1, 'int8'); //                                  another generation's link counts from 0
  watch.stepsFinished([stepOf(6, 0)], 64, { sentBytes: 5, receivedBytes: 5 });
  const shown = await registry.metrics();
  for (const line of [
    'lockstep_worker_steps_total 6',
    'lockstep_worker_images_total 24',
    'lockstep_worker_exchange_hidden_bytes_total 60',
    'lockstep_worker_exchange_bytes_total{direction="sent",codec="int8"} 75',
    'lockstep_worker_exchange_bytes_total{direction="received",codec="int8"} 45',
    'lockstep_worker_step_phase_seconds_count{phase="wait"} 6',
    'lockstep_worker_slowest_peer_rank 0',
    'lockstep_worker_range_ratio 0.75',
  ])
    assert.ok(shown.includes(`${line}\n`), `${line}\n\n${shown}`);
});
