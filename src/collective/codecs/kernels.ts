/** What a codec asks of the compute kernels: the bits of its own plain JavaScript, sooner. */
export interface CodecWork {
  readonly what: 'bf16-encode' | 'bf16-decode' | 'int8-encode' | 'int8-decode';
  /** Overwritten, as are `bytes` when encoding: what the codec's `encode` or `decode` does. */
  readonly values: Float32Array;
  /** On a multiple of 4 bytes. */
  readonly bytes: Uint8Array;
  readonly residual?: Float32Array | undefined;
  /** For stochastic rounding: key and counter of Philox but for its first word, the element over 8. */
  readonly random?: RandomBits | undefined;
}

export interface RandomBits {
  readonly key: readonly [number, number];
  readonly counter: readonly [number, number, number];
  readonly element: number;
}

export interface CodecKernels {
  /** @returns false if one of the vectors is not where kernels can reach it: then nothing was done */
  run(work: CodecWork): boolean;
}
