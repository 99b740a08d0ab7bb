/** What can go wrong between a model and an engine. */
import { faultsFrom, type FaultKind, type FaultTable } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import { tensorflowFaults } from './libtensorflow/faults.js';
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
  LOSS_NOT_SCALED: {
    exitCode: 2,
    meaning: 'An engine was to multiply the loss before it takes gradients, and cannot.',
    message: ({ engine }) => `engine ${engine} cannot scale the loss, as --loss-scale wants`,
    remedy: 'leave --loss-scale out, or choose --engine native, wasm, cpu or tensorflow',
  } satisfies FaultKind<{ readonly engine: string }>,
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
  LOSS_OF_A_MODULE: {
    exitCode: 2,
    meaning: "The loss of a model is a function of its run's module, which what was saved does not have.",
    message: ({ model }) => `model ${model} was trained with a loss of its run's module, which is not here`,
    remedy: 'say where it is: lockstep evaluate --module FILE; `lockstep predict` gives answers without it',
  } satisfies FaultKind<{ readonly model: string }>,
  TENSOR_WITHOUT_INITIALISER: {
    exitCode: 2,
    meaning: 'No rule that we know says how a tensor of the model begins.',
    message: ({ tensor, reason }) => `tensor ${tensor} cannot be drawn from the seed: ${reason}`,
    remedy:
      'save the model with its weights, give them with --init FILE.safetensors, or take an initialiser that is known',
  } satisfies FaultKind<{ readonly tensor: string; readonly reason: string }>,
  MODEL_FILE_UNREADABLE: {
    exitCode: 2,
    meaning: 'The file of a model, or a file with its weights, cannot be read.',
    message: ({ path, reason }) => `cannot read the model ${path}: ${reason}`,
    remedy: "give the model.json that TensorFlow.js's model.save('file://...') writes, with its weights beside it",
  } satisfies FaultKind<{ readonly path: string; readonly reason: string }>,
  NOT_A_LAYERS_MODEL: {
    exitCode: 2,
    meaning: 'The file of a model has something else in it than layers.',
    message: ({ path, reason }) => `${path} is no layers model of TensorFlow.js: ${reason}`,
    remedy:
      "give what model.save('file://...') writes; a model of Keras becomes one with tensorflowjs_converter --output_format tfjs_layers_model",
  } satisfies FaultKind<{ readonly path: string; readonly reason: string }>,
  LAYER_CLASS_UNKNOWN: {
    exitCode: 2,
    meaning: 'A layer of the model is of a class that TensorFlow.js does not have.',
    message: ({ layer, className }) => `layer ${layer} is of class ${className}, which TensorFlow.js does not have`,
    remedy: "build the model of TensorFlow.js's own layers: code of a custom class cannot travel in a file",
  } satisfies FaultKind<{ readonly layer: string; readonly className: string }>,
  OUTPUT_ALREADY_ACTIVATED: {
    exitCode: 2,
    meaning: 'The model ends with the activation that the loss applies by itself.',
    message: ({ layer, activation, loss }) =>
      `layer ${layer} ends the model with ${activation}, which the loss ${loss} applies itself`,
    remedy: 'leave the last activation out, so that outputs are logits, or choose --loss meanSquaredError',
  } satisfies FaultKind<{ readonly layer: string; readonly activation: string; readonly loss: string }>,
  WEIGHTS_WITHOUT_MODEL: {
    exitCode: 2,
    meaning: 'A file has weights, but not the model that they belong to.',
    message: ({ path }) => `${path} does not say which model its weights belong to`,
    remedy: 'give the folder of a run, its final.safetensors, best.safetensors or a checkpoint',
  } satisfies FaultKind<{ readonly path: string }>,
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
  ...tensorflowFaults,
} as const satisfies FaultTable;

export const fault = faultsFrom(engineFaults);
