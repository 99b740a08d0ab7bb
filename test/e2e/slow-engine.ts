/**
 * Loaded into a worker's process by tests, with `--import`: each micro-batch takes its engine so many milliseconds more.
 * What it computes stays the same.
 */
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer } from '../../src/engine/engine-thread-messages.js';

const delayMs = Number(process.env['SLOW_ENGINE_MS']);

if (parentPort) {
  const pass = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (answer: ThreadAnswer): void => {
    if (!('nodes' in answer)) return pass(answer);
    const microBatches = answer.nodes.reduce((sum, { first, end }) => sum + end - first, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, microBatches * delayMs);
    pass({ ...answer, computeSeconds: answer.computeSeconds + (microBatches * delayMs) / 1000 });
  };
}
