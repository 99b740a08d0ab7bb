/**
 * What it costs to be watched: metrics and heartbeats of a worker for each step, the coordinator's picture, metrics and
 * events for each step of a run with three workers, a scrape of a coordinator with 64 workers' series, and memory over
 * 100,000 steps.
 *
 *     node --expose-gc dist/bench/watching.js [seconds of one training step, 0.007: LeNet-5 at a batch of 256]
 *
 * Medians of five rounds, processor time where it is a share of a step. One process, nothing else measured beside it; the goals are those of docs/monitoring.md.
 */

import { cpus } from 'node:os';
import { watchWorker } from '../src/cli/watch-worker.js';
import type { StepRecord, StepTiming } from '../src/core/events.js';
import { Recorder } from '../src/live/recorder.js';
import { coordinatorMetrics, Registry, workerMetrics } from '../src/metrics/index.js';
import { decodeFromWorker, encodeFromWorker } from '../src/transport/grpc/wire.js';
import { coordinatorService } from '../src/transport/grpc/definitions.js';
import type { FinishedStep } from '../src/worker/train-step.js';

const stepSeconds = Number(process.argv[2] ?? 0.007);
const rounds = 5;
const stepsOfRound = 20_000;
/** Steps that a report brings: a tenth of a second of them. */
const stepsOfReport = Math.max(1, Math.round(0.1 / stepSeconds));
/** Steps that a heartbeat brings: half a second of them. */
const stepsOfHeartbeat = Math.max(1, Math.round(0.5 / stepSeconds));

const seconds = { compute: 0.005, wait: 0.0005, exchange: 0.001, update: 0.0005 };
const timingOf = (step: number): StepTiming => ({ step, beginMs: step * 7, seconds, slowestRank: step % 3 });
const recordOf = (step: number): StepRecord => ({
  step,
  epoch: 0,
  loss: 1 / step,
  accuracy: 0.9,
  learningRate: 0.001,
  globalBatchSize: 256,
  sampleCount: 256,
  worldSize: 3,
  generation: 1,
  gradientNorm: 1,
  skipped: false,
  seconds,
});
const clock = { nowMs: () => performance.now(), setTimer: () => () => undefined };
const newRecorder = () => new Recorder({ runId: 'bench', config: {}, clock, wallTimeMs: () => Date.now() });

function medianOf(measure: () => number): number {
  return Array.from({ length: rounds }, measure).sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

function microsecondsOfStep(work: (step: number) => void): number {
  return medianOf(() => {
    const begin = process.cpuUsage();
    for (let step = 1; step <= stepsOfRound; step++) work(step);
    const { user, system } = process.cpuUsage(begin); //               other programs' turns are not in it
    return (user + system) / stepsOfRound;
  });
}

function worker(): number {
  const metrics = workerMetrics(new Registry());
  const watch = watchWorker(metrics, () => undefined);
  const { requestSerialize } = coordinatorService.Join;
  let told: FinishedStep[] = [];
  let timings: StepTiming[] = [];
  let bytes = 0;
  return microsecondsOfStep((step) => {
    const timing = timingOf(step);
    told.push({
      record: recordOf(step),
      timing,
      moved: { bytes: 0, hiddenBytes: 0 },
      ownSampleCount: 85,
      tensorCount: 0,
    });
    if (told.length === stepsOfReport) {
      bytes += 1e5 * stepsOfReport;
      watch.stepsFinished(told, 1e6, { sentBytes: bytes, receivedBytes: bytes });
      told = [];
    }
    timings.push(timing);
    if (timings.length < stepsOfHeartbeat) return;
    requestSerialize(encodeFromWorker('bench', { kind: 'heartbeat', sentAtMs: step * 7, timings }));
    timings = [];
  });
}

function coordinator(): number {
  const metrics = coordinatorMetrics(new Registry());
  const recorder = newRecorder();
  const ids = ['a-000001', 'b-000002', 'c-000003'];
  recorder.began(1, ids, 0);
  const { requestSerialize, requestDeserialize } = coordinatorService.Join;
  return microsecondsOfStep((step) => {
    const event = { type: 'step', imagesPerSecond: 30_000, ...recordOf(step) } as const;
    metrics.observe(event);
    recorder.observe(event);
    if (step % stepsOfHeartbeat !== 0) return;
    const timings = Array.from({ length: stepsOfHeartbeat }, (_, i) => timingOf(step - i));
    const message = encodeFromWorker('bench', { kind: 'heartbeat', sentAtMs: step * 7, timings });
    for (const id of ids) {
      const heard = decodeFromWorker(id, requestDeserialize(requestSerialize(message)));
      if (heard?.kind === 'heartbeat') recorder.heard(id, heard.sentAtMs, step * 7, heard.timings);
    }
  });
}

async function scrapeMs(): Promise<number> {
  const registry = new Registry();
  registry.setDefaultLabels({ run: 'bench' });
  const metrics = coordinatorMetrics(registry);
  const names = Array.from({ length: 64 }, (_, i) => `worker-${i}`);
  metrics.observeMembers(names);
  for (const worker of names) metrics.memberWaitedFor.inc({ worker }, 1);
  const times: number[] = [];
  for (let i = 0; i < 51; i++) {
    const beginMs = performance.now();
    await registry.metrics();
    times.push(performance.now() - beginMs);
  }
  return times.sort((a, b) => a - b)[25]!;
}

function longRun(): void {
  const recorder = newRecorder();
  const ids = Array.from({ length: 64 }, (_, i) => `worker-${i}-00000a`);
  recorder.began(1, ids, 0);
  for (let step = 1; step <= 100_000; step++) {
    recorder.observe({ type: 'step', imagesPerSecond: 30_000, ...recordOf(step) });
    if (step % 70 === 0)
      for (const id of ids) recorder.heard(id, step * 7, step * 7, [timingOf(step), timingOf(step + 1)]);
    if (![1_000, 10_000, 100_000].includes(step)) continue;
    globalThis.gc?.();
    const heapMiB = process.memoryUsage().heapUsed / 2 ** 20;
    const bytes = JSON.stringify(recorder.picture()).length;
    const update = medianOf(() => {
      const beginMs = performance.now();
      JSON.stringify(recorder.picture({ stride: recorder.picture().curves.stride, count: 500 }));
      return performance.now() - beginMs;
    });
    console.log(
      `after ${step} steps, 64 workers: heap ${heapMiB.toFixed(1)} MiB, picture ${(bytes / 1024).toFixed(0)} KiB, ${update.toFixed(2)} ms to make one`,
    );
  }
}

const share = (us: number) => `${((us / 1e6 / stepSeconds) * 100).toFixed(2)} % of a step of ${stepSeconds * 1e3} ms`;
const [own, whole] = [worker(), coordinator()];
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node.js ${process.versions.node}`);
console.log(`worker: ${own.toFixed(1)} us a step, ${share(own)}`);
console.log(`coordinator, 3 workers: ${whole.toFixed(1)} us a step, ${share(whole)}`);
console.log(`scrape of a coordinator with 64 workers: ${(await scrapeMs()).toFixed(2)} ms`);
longRun();
