import type { SampleFormat } from '../data/dataset.js';
import type { ModelDescription } from './describe-model.js';
import type { ModelSpec } from './model-spec.js';

/** Whether answers are correct or wrong: they are where they stand for classes, or for yes and no. */
export function hasAccuracy(
  { loss = 'softmaxCrossEntropy' }: ModelSpec,
  { outputs, outputShape }: Pick<ModelDescription, 'outputs' | 'outputShape'>,
  labels: SampleFormat,
): boolean {
  if (loss === 'softmaxCrossEntropy' || loss === 'sigmoidCrossEntropy') return true;
  return isClassNumber(labels) && outputs > 1 && (loss === 'meanSquaredError' || outputShape.length === 1);
}

export function isClassNumber({ shape, dtype }: SampleFormat): boolean {
  return shape.length === 0 && dtype !== 'float32';
}

/** Labels of files that we read ourselves. */
export const classNumbers: SampleFormat = { shape: [], dtype: 'int32' };
