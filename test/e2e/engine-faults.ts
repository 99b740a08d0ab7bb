/**
 * Loaded into a worker's process by tests, with `--import`: its engine is slow, so many milliseconds a micro-batch (for as
 * long as a file is there, if one is named), or
 * hangs with a job, counted from 1, or stands still with some for so many milliseconds, or loses its GPU with one. What it computes stays the same.
 */
import { existsSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { ThreadAnswer } from '../../src/engine/engine-thread-messages.js';

const delayMs = Number(process.env['SLOW_ENGINE_MS'] ?? 0);
const slowingFile = process.env['SLOW_ENGINE_WHILE'];
const hangingJob = Number(process.env['HANG_ENGINE_AT'] ?? Infinity);
/** Jobs, with commas between them. */
const stallingJobs = new Set((process.env['STALL_ENGINE_AT'] ?? '').split(',').filter(Boolean).map(Number));
const stallMs = Number(process.env['STALL_ENGINE_MS'] ?? 0);
const losingJob = Number(process.env['LOSE_GPU_AT'] ?? Infinity);
let jobs = 0;
const devices: GPUDevice[] = [];

/** Knows what is opened from now on. */
async function watchDevices(): Promise<void> {
  const { GPUAdapter: adapter } = (await import('webgpu')).globals as { GPUAdapter: { prototype: GPUAdapter } };
  const open = Object.getOwnPropertyDescriptor(adapter.prototype, 'requestDevice')!.value as (
    this: GPUAdapter,
    descriptor?: GPUDeviceDescriptor,
  ) => Promise<GPUDevice>;
  adapter.prototype.requestDevice = async function (descriptor) {
    const device = await open.call(this, descriptor);
    devices.push(device);
    return device;
  };
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

if (parentPort && losingJob < Infinity) await watchDevices();
if (parentPort) {
  const pass = parentPort.postMessage.bind(parentPort);
  parentPort.postMessage = (answer: ThreadAnswer): void => {
    if (!('nodes' in answer)) return pass(answer);
    jobs += 1;
    if (jobs === hangingJob) sleep(Infinity);
    const stalledMs = stallingJobs.has(jobs) ? stallMs : 0;
    sleep(stalledMs);
    if (jobs === losingJob) for (const device of devices) device.destroy();
    const microBatches = answer.nodes.reduce((sum, { first, end }) => sum + end - first, 0);
    const slowedMs = slowingFile === undefined || existsSync(slowingFile) ? microBatches * delayMs : 0;
    sleep(slowedMs);
    pass({ ...answer, computeSeconds: answer.computeSeconds + (slowedMs + stalledMs) / 1000 });
  };
}
