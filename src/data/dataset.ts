/** Samples by index: what makes a run reproducible is random access. */
export interface Dataset {
  readonly length: number;
  /** Of one sample: [28, 28, 1]. */
  readonly sampleShape: readonly number[];
  readonly classes: number;
  /**
   * Writes the samples one after the other.
   *
   * @param indices - m indices in 0..length-1
   * @param x - float32[>= m * sampleSize]
   * @param y - int32[>= m], class numbers
   */
  read(indices: ArrayLike<number>, x: Float32Array, y: Int32Array): void;
}
