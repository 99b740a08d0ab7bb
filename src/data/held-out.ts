import type { EncodedImages } from './encoded-images.js';

/** What is trained on, and what is evaluated. */
export interface DataParts {
  readonly train: EncodedImages;
  readonly test: EncodedImages;
}

/**
 * Holds the last `validationLength` training samples out: evaluations then look at these, and the test set stays unseen
 * until the end. They come first in what is evaluated, the test set behind them.
 */
export function holdOut({ train, test }: DataParts, validationLength: number): DataParts {
  if (validationLength === 0) return { train, test };
  const sampleSize = train.rows * train.columns * train.channels;
  const kept = train.count - validationLength;
  return {
    train: {
      ...train,
      images: train.images.subarray(0, kept * sampleSize),
      labels: train.labels.subarray(0, kept),
      count: kept,
    },
    test: {
      ...test,
      images: joined(train.images.subarray(kept * sampleSize), test.images),
      labels: joined(train.labels.subarray(kept), test.labels),
      count: validationLength + test.count,
    },
  };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const both = new Uint8Array(new SharedArrayBuffer(first.length + second.length));
  both.set(first);
  both.set(second, first.length);
  return both;
}
