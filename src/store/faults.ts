import { faultsFrom, type FaultTable } from '../core/errors.js';

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

export const storeFaults = {
  OUT_NOT_EMPTY: {
    exitCode: 2,
    meaning: 'The folder for the results has files in it already.',
    message: (f: { path: string; found: string }) => `--out ${f.path} is not empty: it holds ${f.found}`,
    remedy: 'choose a folder that is empty or does not exist, or remove what is in it; --resume continues a run',
  },
  RUN_IN_USE: {
    exitCode: 1,
    meaning: "Another process works on the run's folder.",
    message: (f: { path: string; owner: string; lock: string }) =>
      `${f.path} is in use by ${f.owner}, says its file ${f.lock}`,
    remedy: 'stop that process, or wait until it has ended; if there is none, remove the file',
  },
  NO_CHECKPOINT: {
    exitCode: 1,
    meaning: 'A run cannot be continued, as it has no checkpoint that is whole.',
    message: (f: { path: string; passedOver: number }) =>
      `${f.path} has no ${f.passedOver > 0 ? `whole checkpoint: ${f.passedOver} damaged` : 'checkpoint'}`,
    remedy: 'start the run again: lockstep train --config with the spec.json of that folder',
  },
  CHECKPOINT_DAMAGED: {
    exitCode: 1,
    meaning: 'A file is no whole checkpoint of a run.',
    message: (f: { path: string; reason: string }) => `${f.path} is not a whole checkpoint: ${f.reason}`,
    remedy: 'use an earlier one: --resume finds it by itself',
  },
  WEIGHTS_UNREADABLE: {
    exitCode: 1,
    meaning: 'A file of weights cannot be read.',
    message: (f: { path: string; reason: string }) => `cannot read ${f.path}: ${f.reason}`,
    remedy: 'check that the file is there and that you may read it',
  },
  WEIGHTS_NOT_SAFETENSORS: {
    exitCode: 1,
    meaning: 'A file is not in the safetensors format, or is damaged.',
    message: (f: { path: string; reason: string }) => `${f.path} is not a safetensors file: ${f.reason}`,
    remedy: 'give a .safetensors file, or write it again',
  },
  WEIGHTS_TRUNCATED: {
    exitCode: 1,
    meaning: 'A safetensors file is shorter than its header says.',
    message: (f: { path: string; expectedBytes: number; actualBytes: number }) =>
      `${f.path} is truncated: ${f.actualBytes} bytes, expected ${f.expectedBytes}`,
    remedy: 'copy or write the file again',
  },
  TENSOR_WRONG_TYPE: {
    exitCode: 1,
    meaning: 'A tensor in a safetensors file is not float32.',
    message: (f: { path: string; tensor: string; actual: string }) =>
      `${f.path}: tensor ${f.tensor} is ${f.actual}, expected F32`,
    remedy: 'convert the file to float32',
  },
  TENSOR_WRONG_PLACE: {
    exitCode: 1,
    meaning: 'The offsets of a tensor in a safetensors file do not fit its shape, its neighbours or the file.',
    message: (f: { path: string; tensor: string; expected: string; actual: string }) =>
      `${f.path}: tensor ${f.tensor} is at ${f.actual}, expected ${f.expected}`,
    remedy: 'write the file again',
  },
  TENSOR_MISSING: {
    exitCode: 1,
    meaning: 'A file of weights lacks a tensor that the model has.',
    message: (f: { path: string; tensor: string; shape: readonly number[] }) =>
      `${f.path} has no tensor ${f.tensor}, expected one of shape ${shapeText(f.shape)}`,
    remedy: 'give the weights of this model: check --model and --init',
  },
  TENSOR_UNKNOWN: {
    exitCode: 1,
    meaning: 'A file of weights has a tensor that the model lacks.',
    message: (f: { path: string; tensor: string; shape: readonly number[] }) =>
      `${f.path} has a tensor ${f.tensor} of shape ${shapeText(f.shape)} that the model does not have`,
    remedy: 'give the weights of this model: check --model and --init',
  },
  TENSOR_WRONG_SHAPE: {
    exitCode: 1,
    meaning: 'A tensor in a file of weights has another shape than in the model.',
    message: (f: { path: string; tensor: string; expected: readonly number[]; actual: readonly number[] }) =>
      `${f.path}: tensor ${f.tensor} has shape ${shapeText(f.actual)}, expected ${shapeText(f.expected)}`,
    remedy: 'give the weights of this model: check --model and --init',
  },
} as const satisfies FaultTable;

export const fault = faultsFrom(storeFaults);
