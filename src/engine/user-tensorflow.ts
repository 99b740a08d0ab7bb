import * as tfl from '@tensorflow/tfjs-layers';

import type { TensorFlow } from '../own/definition.js';
import { addTensorMethods } from './chained-methods.js';
import { tf } from './tensorflow.js';

addTensorMethods();

/** What users know as `tf`: operations, methods of tensors, and layers in one. */
export const userTensorFlow: TensorFlow = Object.freeze({ ...tf, ...tfl } as TensorFlow);
