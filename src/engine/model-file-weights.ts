import { dirname, join } from 'node:path';

import { fault } from './faults.js';
import { readBytes, type WeightEntry, type WeightsManifest } from './model-file.js';
import { tf } from './tensorflow.js';

export interface NamedWeights {
  /** Layer and role, as layouts have it: `conv1.kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The weights that lie beside a model's file, quantized ones unfolded.
 *
 * @param path - of the model's file
 * @throws LockstepError `MODEL_FILE_UNREADABLE`
 */
export async function readModelWeights(path: string, manifest: WeightsManifest): Promise<readonly NamedWeights[]> {
  const found: NamedWeights[] = [];
  for (const { paths, weights } of manifest) {
    const files = await Promise.all(paths.map((file) => readBytes(join(dirname(path), file))));
    found.push(...decode(path, Buffer.concat(files), weights));
  }
  return found;
}

function decode(path: string, bytes: Buffer, weights: readonly WeightEntry[]): readonly NamedWeights[] {
  const content = Uint8Array.from(bytes).buffer;
  let tensors: tf.NamedTensorMap;
  try {
    tensors = tf.io.decodeWeights(content, weights as tf.io.WeightsManifestEntry[]);
  } catch (error) {
    const reason = `its weights do not fit their manifest: ${(error as Error).message.split('\n')[0]}`;
    throw fault('MODEL_FILE_UNREADABLE', { path, reason }, error);
  }
  const decoded = weights
    .filter(({ group }) => group !== 'optimizer')
    .map(({ name, shape }) => ({
      name: name.replace(/:\d+$/, '').replaceAll('/', '.'),
      shape,
      data: Float32Array.from(tensors[name]!.dataSync<'float32'>()),
    }));
  tf.dispose(tensors);
  return decoded;
}
