/** The backends of TensorFlow.js on which models run op by op. */
import { tf } from '../tensorflow.js';
import { guarded } from '../webgpu/guard.js';
import { useTensorflowBackend, withItsFaults } from './tensorflow-backend.js';
import { useWasmBackend } from './wasm-backend.js';
import { useWebgpuBackend } from './webgpu-backend.js';

/** Engines that run a model op by op. */
export type OpByOpName = 'wasm' | 'cpu' | 'webgpu' | 'tensorflow';

export interface OpByOpBackend {
  /** Whether the same inputs give the same bits, always and everywhere. */
  readonly deterministic: boolean;
  /** Does the work and waits for it; what the backend complains of becomes one of our faults. */
  readonly run: (work: () => Promise<void>) => Promise<void>;
  /** Gives up the device, if it has one. */
  readonly close?: () => void;
}

export interface BackendOptions {
  /** As `--gpu` has it. */
  readonly gpu: string;
  /** For complaints. */
  readonly microBatchSize: number;
}

const onProcessor: OpByOpBackend = { deterministic: true, run: (work) => work() };

/** Each starts its backend and makes it TensorFlow.js's current one. */
export const opByOpBackends: Readonly<Record<OpByOpName, (options: BackendOptions) => Promise<OpByOpBackend>>> = {
  async wasm() {
    await useWasmBackend();
    return onProcessor;
  },
  async cpu() {
    await tf.setBackend('cpu');
    return onProcessor;
  },
  async webgpu({ gpu, microBatchSize }) {
    const opened = await useWebgpuBackend(gpu);
    const run: OpByOpBackend['run'] = (work) => guarded(opened, microBatchSize, work);
    return { deterministic: false, run, close: () => opened.close() };
  },
  async tensorflow({ microBatchSize }) {
    await useTensorflowBackend();
    return { deterministic: false, run: (work) => withItsFaults(work, microBatchSize) };
  },
};
