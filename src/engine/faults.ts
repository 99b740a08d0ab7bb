/** What can go wrong between a model and an engine. */
import { faultsFrom, type FaultKind, type FaultTable } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import { gpuFaults } from './webgpu/faults.js';

export const engineFaults = {
  UNKNOWN_MODEL: {
    exitCode: 2,
    meaning: 'No built-in model has this name.',
    message: ({ model, known }) =>
      `unknown model ${model}${didYouMean(model, known) || `; there are ${known.join(', ')}`}`,
    remedy: 'choose one of the built-in models with --model',
  } satisfies FaultKind<{ readonly model: string; readonly known: readonly string[] }>,
  LAYER_UNSUPPORTED: {
    exitCode: 2,
    meaning: 'The engine has no kernels for one of the layers of the model.',
    message: ({ layer, className, reason }) => `layer ${layer} (${className}) cannot be compiled to a plan: ${reason}`,
    remedy: 'use --engine auto or wasm, which run such a model op by op, or leave the layer out',
  } satisfies FaultKind<{ readonly layer: string; readonly className: string; readonly reason: string }>,
  LAYER_UNTRAINABLE: {
    exitCode: 2,
    meaning: 'A layer cannot be trained op by op, or not so that the result is that of one machine.',
    message: ({ layer, className, reason }) => `layer ${layer} (${className}) cannot be trained: ${reason}`,
    remedy: 'leave the layer out, or take one of those that plans cover',
  } satisfies FaultKind<{ readonly layer: string; readonly className: string; readonly reason: string }>,
  MODEL_UNSUPPORTED: {
    exitCode: 2,
    meaning: 'The model is not of a kind that can be trained here, by any engine.',
    message: ({ model, reason }) => `model ${model} cannot be trained: ${reason}`,
    remedy: 'give a model with one input and one output; for softmaxCrossEntropy a vector of logits, without softmax',
  } satisfies FaultKind<{ readonly model: string; readonly reason: string }>,
  TENSOR_WITHOUT_INITIALISER: {
    exitCode: 2,
    meaning: 'No rule says how a tensor of the model begins.',
    message: ({ tensor }) => `tensor ${tensor} has no initialiser: only kernels and biases have one`,
    remedy: 'give the initial weights with --init FILE.safetensors',
  } satisfies FaultKind<{ readonly tensor: string }>,
  KERNELS_UNREADABLE: {
    exitCode: 1,
    meaning: 'The compiled kernels, a file of the package, are missing or damaged.',
    message: ({ file }) => `cannot load the kernels from ${file}`,
    remedy: 'install the package again, or run node src/engine/kernels/build.mjs',
  } satisfies FaultKind<{ readonly file: string }>,
  ENGINE_UNAVAILABLE: {
    exitCode: 1,
    meaning: 'The engine that was asked for cannot be had on this machine.',
    message: ({ engine, reason }) => `engine ${engine} is not available: ${reason}`,
    remedy:
      'use --engine auto: wasm has the same bits; for native install clang or gcc and start again, which compiles it',
  } satisfies FaultKind<{ readonly engine: string; readonly reason: string }>,
  ENGINE_THREAD_DIED: {
    exitCode: 1,
    meaning: 'The thread that computes gradients ended by itself.',
    message: ({ reason }) => `the engine's thread ended: ${reason}`,
    remedy: 'if memory ran out, choose a smaller --micro-batch',
  } satisfies FaultKind<{ readonly reason: string }>,
  ...gpuFaults,
} as const satisfies FaultTable;

export const fault = faultsFrom(engineFaults);
