/** How raw values become the model's inputs: `float32((value * scale - mean) / deviation)`, computed in float64. */
export interface InputScaling {
  readonly scale: number;
  readonly mean: number;
  readonly deviation: number;
}

/** A model as it travels to the workers. */
export interface ModelSpec {
  readonly name: string;
  /** What `tf.LayersModel.toJSON(null, false)` returns: class name and configuration of the layers. */
  readonly topology: unknown;
  readonly inputScaling: InputScaling;
}
