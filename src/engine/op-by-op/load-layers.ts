import * as tfl from '@tensorflow/tfjs-layers';

import { fault } from '../faults.js';
import type { ModelSpec } from '../model-spec.js';
import { tf } from '../tensorflow.js';

/**
 * TensorFlow.js's model of a JSON, its weights zeros: they are always given, so that nothing has to be drawn for them here,
 * or decomposed into orthogonal parts.
 *
 * @throws LockstepError `MODEL_UNSUPPORTED`, `LAYER_CLASS_UNKNOWN`
 */
export async function loadLayers({ name, topology }: ModelSpec): Promise<tfl.LayersModel> {
  demandKnownClasses(topology);
  const modelTopology = withoutInitialisers(topology) as object;
  const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology }) }).catch((error: unknown) => {
    const reason = `TensorFlow.js cannot build it: ${(error as Error).message.split('\n')[0]}`;
    throw fault('MODEL_UNSUPPORTED', { model: name, reason }, error);
  });
  if (model.inputs.length !== 1 || model.outputs.length !== 1)
    throw fault('MODEL_UNSUPPORTED', { model: name, reason: 'it has more than one input or output' });
  return model;
}

/** As layouts call it: `conv1.kernel`. */
export function nameOfWeight({ originalName }: tfl.layers.Layer['weights'][number]): string {
  return originalName.replaceAll('/', '.');
}

/** Layers have a name in their configuration, which initialisers and regularisers do not. */
function demandKnownClasses(json: unknown): void {
  if (typeof json !== 'object' || json === null) return;
  const { class_name: className, config } = json as { class_name?: unknown; config?: { name?: unknown } | null };
  const layer = config?.name;
  if (typeof className === 'string' && typeof layer === 'string' && !isRegistered(className))
    throw fault('LAYER_CLASS_UNKNOWN', { layer, className });
  Object.values(json).forEach(demandKnownClasses);
}

function isRegistered(className: string): boolean {
  return className in tf.serialization.SerializationMap.getMap().classNameMap;
}

function withoutInitialisers(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(withoutInitialisers);
  if (typeof config !== 'object' || config === null) return config;
  const zeros = { class_name: 'Zeros', config: {} };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      key.endsWith('_initializer') && value !== null ? zeros : withoutInitialisers(value),
    ]),
  );
}
