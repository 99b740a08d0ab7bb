/** How raw values become the model's inputs: `float32((value * scale - mean) / deviation)`, computed in float64. */
export interface InputScaling {
  readonly scale: number;
  readonly mean: number;
  readonly deviation: number;
}

/**
 * What is minimised, for each sample; a mean over outputs where there are several.
 *
 * `softmaxCrossEntropy`: outputs are logits, labels classes. `sigmoidCrossEntropy`: outputs are logits, targets in 0..1.
 * `meanSquaredError`: outputs are compared with targets.
 */
export type LossName = 'softmaxCrossEntropy' | 'sigmoidCrossEntropy' | 'meanSquaredError';

/** A model as it travels to the workers. */
export interface ModelSpec {
  readonly name: string;
  /** What `tf.LayersModel.toJSON(null, false)` returns: class name and configuration of the layers. */
  readonly topology: unknown;
  readonly inputScaling: InputScaling;
  /** Default `softmaxCrossEntropy`; `own` is a function of the run's module. */
  readonly loss?: LossName | 'own';
}
