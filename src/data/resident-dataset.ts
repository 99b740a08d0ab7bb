/** Labelled images that are held in memory, by index. */
export interface ResidentDataset {
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
  /** What `read` reads, where that is images: for devices that keep them. */
  readonly encoded?: {
    /** uint8[length * sampleSize] */
    readonly images: Uint8Array;
    /** uint8[length] */
    readonly labels: Uint8Array;
    /** float32[256]: what each byte becomes. */
    readonly inputOf: Float32Array;
  };
}
