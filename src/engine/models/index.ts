/** The built-in models. Loads TensorFlow.js, which takes a second: whoever only trains imports it when it is needed. */
import type * as tfl from '@tensorflow/tfjs-layers';

import { fault } from '../faults.js';
import type { InputScaling, ModelSpec } from '../model-spec.js';
import '../tensorflow.js';
import { fast } from './fast.js';
import { lenet } from './lenet.js';
import { lenet5 } from './lenet5.js';
import { mlp } from './mlp.js';
import { modelNames, type ModelName } from './names.js';
import { unitScaling } from './scaling.js';

const builders: Readonly<Record<ModelName, () => tfl.Sequential>> = { lenet5, lenet, fast, mlp };

/** To mean 0 and deviation 1 over MNIST's training images. */
const normalised: InputScaling = { scale: 1 / 255, mean: 0.1307, deviation: 0.3081 };

/** @throws LockstepError `UNKNOWN_MODEL` */
export function buildModelSpec(name: string): ModelSpec {
  if (!isModelName(name)) throw fault('UNKNOWN_MODEL', { model: name, known: modelNames });
  return modelSpecOf(builders[name](), name === 'fast' ? normalised : unitScaling);
}

/** What travels of a model, which is thrown away: its weights come from the run's seed. */
export function modelSpecOf(model: tfl.LayersModel, inputScaling: InputScaling = unitScaling): ModelSpec {
  const spec = { name: model.name, topology: model.toJSON(null, false), inputScaling };
  model.dispose();
  return spec;
}

function isModelName(name: string): name is ModelName {
  return (modelNames as readonly string[]).includes(name);
}
