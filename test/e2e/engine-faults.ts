/**
 * Loaded into a worker's process by tests, with `--import`: its engine is slow, so many milliseconds a micro-batch, or
 * hangs with a job, counted from 1. What it computes stays the same.
 */
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer } from '../../src/engine/engine-thread-messages.js';

const delayMs = Number(process.env['SLOW_ENGINE_MS'] ?? 0);
const hangingJob = Number(process.env['HANG_ENGINE_AT'] ?? Infinity);
let jobs = 0;

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

if (parentPort) {
  const pass = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (answer: ThreadAnswer): void => {
    if (!('nodes' in answer)) return pass(answer);
    jobs += 1;
    if (jobs === hangingJob) sleep(Infinity);
    const microBatches = answer.nodes.reduce((sum, { first, end }) => sum + end - first, 0);
    sleep(microBatches * delayMs);
    pass({ ...answer, computeSeconds: answer.computeSeconds + (microBatches * delayMs) / 1000 });
  };
}
