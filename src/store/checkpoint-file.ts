/**
 * A checkpoint is a safetensors file: weights under the model's own names, so that every reader of the format finds them;
 * each optimizer slot under `optimizer.<slot>/<name>`; everything else of the training state, and what it belongs to, as
 * text in the metadata. `sha256` there is that of the file's data section.
 */
import { createHash } from 'node:crypto';
import { trainedPart, type ParameterLayout } from '../core/layout.js';
import { fault } from './faults.js';
import { dataOf, decodeSafetensors, tensorsOf, weightsFrom, type Tensor, type TensorFile } from './safetensors.js';

/** A training state in plain terms: `weights`, float32[weightCount], and for each optimizer slot float32[parameterCount]. */
export interface StateVectors {
  /** Everything but the vectors, as JSON; only those who train know what is in it. */
  readonly description: string;
  readonly vectors: readonly { readonly name: string; readonly values: Float32Array }[];
}

/** What a checkpoint belongs to. */
export interface CheckpointFacts {
  readonly runId: string;
  readonly step: number;
  /** That the run had taken by then, interruptions not counted. */
  readonly seconds: number;
  /** The run's specification, as JSON: who continues compares it with his own. */
  readonly runSpec: string;
  /** As in core/versions.ts: with another one the continued run would have other bits. */
  readonly numericsVersion: number;
}

const formatVersion = '1';
const weightsName = 'weights';
const slotPrefix = /^optimizer\.([^/]+)\//;

export function encodeCheckpoint(layout: ParameterLayout, state: StateVectors, facts: CheckpointFacts): TensorFile {
  const prefixOf = (vector: string): string => (vector === weightsName ? '' : `optimizer.${vector}/`);
  const tensors = state.vectors.flatMap(({ name, values }) => tensorsOf(layout, values, prefixOf(name)));
  return {
    tensors,
    metadata: {
      format: 'lockstep',
      formatVersion,
      runId: facts.runId,
      step: String(facts.step),
      seconds: String(facts.seconds),
      numericsVersion: String(facts.numericsVersion),
      runSpec: facts.runSpec,
      state: state.description,
      sha256: digestOf(tensors),
    },
  };
}

/**
 * @param path - names the file in faults
 * @throws LockstepError `CHECKPOINT_DAMAGED`, and as `decodeSafetensors` does: whatever is half written, cut, overwritten,
 *   or no checkpoint at all
 */
export function decodeCheckpoint(bytes: Uint8Array, path: string): { file: TensorFile; facts: CheckpointFacts } {
  const file = decodeSafetensors(bytes, path);
  const { metadata } = file;
  const text = (key: string): string => {
    const value = metadata[key];
    if (value === undefined) throw fault('CHECKPOINT_DAMAGED', { path, reason: `it does not say its ${key}` });
    return value;
  };
  if (text('format') !== 'lockstep') throw fault('CHECKPOINT_DAMAGED', { path, reason: 'lockstep did not write it' });
  if (text('formatVersion') !== formatVersion) {
    const reason = `it has format version ${text('formatVersion')}, not ${formatVersion}`;
    throw fault('CHECKPOINT_DAMAGED', { path, reason });
  }
  const [expected, actual] = [text('sha256'), digestOf(file.tensors)];
  if (actual !== expected) {
    const reason = `its data has the SHA-256 ${actual.slice(0, 12)}, not ${expected.slice(0, 12)}`;
    throw fault('CHECKPOINT_DAMAGED', { path, reason });
  }
  text('state');
  const facts: CheckpointFacts = {
    runId: text('runId'),
    step: Number(text('step')),
    seconds: Number(text('seconds')),
    runSpec: text('runSpec'),
    numericsVersion: Number(text('numericsVersion')),
  };
  return { file, facts };
}

/**
 * The training state in a checkpoint, its tensors back in their vectors.
 *
 * @throws LockstepError as `weightsFrom` does, where the tensors are not those of the model
 */
export function stateVectorsFrom(file: TensorFile, layout: ParameterLayout, path: string): StateVectors {
  const byVector = new Map<string, Tensor[]>([[weightsName, []]]);
  for (const tensor of file.tensors) {
    const [prefix = '', slot = weightsName] = slotPrefix.exec(tensor.name) ?? [];
    const tensors = byVector.get(slot) ?? [];
    byVector.set(slot, [...tensors, { ...tensor, name: tensor.name.slice(prefix.length) }]);
  }
  return {
    description: file.metadata['state'] ?? '',
    vectors: [...byVector].map(([name, tensors]) => ({
      name,
      values: weightsFrom({ tensors, metadata: {} }, name === weightsName ? layout : trainedPart(layout), path),
    })),
  };
}

/** SHA-256 of the data section: the tensors' bytes as the file has them, one after the other. */
function digestOf(tensors: readonly Tensor[]): string {
  const hash = createHash('sha256');
  for (const tensor of tensors) hash.update(dataOf(tensor));
  return hash.digest('hex');
}
