/** A run that a program put together, written down so that the processes of workers can read it. */
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { LayersModel } from '@tensorflow/tfjs-layers';

import { npyHeader } from '../core/npy-header.js';
import { packageRoot } from '../core/paths.js';
import { sizeOfFormat, type Dataset } from '../data/dataset.js';
import { arraysIn, formatOf, type ArrayPart } from '../data/readers/arrays.js';
import { isModelFile } from '../engine/model-file.js';
import type { RunDefinition } from '../own/definition.js';
import { fault } from '../own/faults.js';
import { metricsOf } from '../own/metrics.js';
import type { ProgramRun } from './definition.js';

const setNames = ['train', 'validation', 'test'] as const;

/** @returns the model as a module would have it @throws LockstepError `RUN_CANNOT_TRAVEL` */
export function modelOf({ model }: ProgramRun): RunDefinition['model'] {
  if (typeof model === 'string') return isModelFile(model) ? resolve(model) : model;
  if (typeof model === 'function') return model;
  if (typeof (model as Partial<LayersModel> | undefined)?.toJSON !== 'function') throw untravelled('model', model);
  // Whoever builds a model disposes of it; this one is the caller's.
  const kept = { weights: model.weights, dispose: () => undefined, toJSON: () => model.toJSON(null, false) };
  return () => kept as unknown as LayersModel;
}

/**
 * Writes a module that says what the run does, and beside it the arrays, which workers read in place.
 *
 * @returns its path, in a folder of its own below that for temporary files
 * @throws LockstepError `RUN_CANNOT_TRAVEL`
 */
export async function writeRun(run: ProgramRun): Promise<string> {
  const { data, loss, metrics, inputScaling } = run;
  if (loss !== undefined && typeof loss !== 'string') throw untravelled('loss', loss);
  const own = metricsOf(run).find(({ of }) => typeof of === 'function');
  if (own) throw untravelled(`metrics.${own.name}`, own.of);
  const sets = typeof data === 'string' ? [] : setNames.filter((name) => data?.[name] !== undefined);
  const parts = sets.map((name) => arraysOf(name, (data as Record<string, Dataset>)[name]!));
  if (typeof data !== 'string' && !sets.includes('train')) throw untravelled('data', data);
  const folder = join(await mkdtemp(join(tmpdir(), 'lockstep-')), 'program');
  await mkdir(folder);
  const named = typeof data === 'string' && data !== 'mnist' ? resolve(data) : data;
  const written = sets.map((name, i) => {
    const files = (['x', 'y'] as const).map((what) => `${what}: new URL('${name}-${what}.npy', import.meta.url)`);
    return { name, files, ...parts[i]! };
  });
  for (const { name, x, y } of written)
    for (const [what, part] of Object.entries({ x, y })) await writeArray(join(folder, `${name}-${what}.npy`), part);
  const lines = written.map(({ name, files }) => `${name}: await data.npy({ ${files.join(', ')} })`);
  const library = pathToFileURL(join(packageRoot, 'dist', 'src', 'data', 'library.js')).href;
  const path = join(folder, 'run.mjs');
  await writeFile(
    path,
    `import * as data from ${JSON.stringify(library)};
export default {
  model: 'handed over in the program',
  data: ${typeof named === 'string' ? JSON.stringify(named) : `async () => ({ ${lines.join(', ')} })`},
  loss: ${JSON.stringify(loss)},
  metrics: ${JSON.stringify(metrics)},
  inputScaling: ${JSON.stringify(inputScaling)},
};
`,
  );
  return path;
}

function arraysOf(name: string, dataset: Dataset): { readonly x: ArrayPart; readonly y: ArrayPart } {
  const found = arraysIn(dataset);
  if (!found) throw untravelled(`data.${name}`, dataset);
  return found;
}

const npyTypes = { float32: '<f4', int32: '<i4', uint8: '|u1' } as const;

async function writeArray(path: string, part: ArrayPart): Promise<void> {
  const { values } = part;
  const format = formatOf(part);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  await writeFile(path, [
    npyHeader(npyTypes[format.dtype], [values.length / sizeOfFormat(format), ...format.shape]),
    bytes,
  ]);
}

function untravelled(what: string, value: unknown): Error {
  const isDataset = typeof (value as Partial<Dataset> | undefined)?.read === 'function';
  const actual = isDataset
    ? "a data set with code of the program's own"
    : value === null || value === undefined
      ? 'missing'
      : `a value of type ${typeof value}`;
  return fault('RUN_CANNOT_TRAVEL', { what, actual });
}
