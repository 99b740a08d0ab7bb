import type { ResidentDataset } from './resident-dataset.js';
import { fault } from './faults.js';
import { parseIdx } from './idx.js';

/** How raw values become the model's inputs: `float32((value * scale - mean) / deviation)`, computed in float64. */
export interface InputScaling {
  readonly scale: number;
  readonly mean: number;
  readonly deviation: number;
}

/**
 * Images as they are stored, one byte a value: 60,000 of MNIST take 47 MB, where float32 would take 188. Shared, so that
 * every thread of a process reads the same copy.
 */
export interface EncodedImages {
  /** uint8[count * rows * columns * channels], (N, H, W, C). */
  readonly images: Uint8Array<SharedArrayBuffer>;
  /** uint8[count], in 0..classes-1. */
  readonly labels: Uint8Array<SharedArrayBuffer>;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly classes: number;
}

/** The content of a file, and its path or role for faults. */
export interface NamedContent {
  readonly path: string;
  readonly content: Uint8Array<SharedArrayBuffer>;
}

/**
 * Checks two IDX files and looks at them as images with labels. Nothing is copied.
 *
 * @param images - (N, H, W) or (N, H, W, C)
 * @param labels - (N)
 * @param classes - default 10
 * @throws LockstepError as `parseIdx` does, `IMAGE_LABEL_COUNT_MISMATCH`, `LABEL_OUT_OF_RANGE`
 */
export function encodedImages(images: NamedContent, labels: NamedContent, classes = 10): EncodedImages {
  const { shape, values } = parseIdx(images.content, [3, 4], images.path);
  const [count = 0, rows = 0, columns = 0, channels = 1] = shape;
  const labelValues = parseIdx(labels.content, [1], labels.path).values;
  if (labelValues.length !== count) {
    throw fault('IMAGE_LABEL_COUNT_MISMATCH', {
      imagesPath: images.path,
      images: count,
      labelsPath: labels.path,
      labels: labelValues.length,
    });
  }
  const index = labelValues.findIndex((label) => label >= classes);
  if (index >= 0) throw fault('LABEL_OUT_OF_RANGE', { path: labels.path, index, label: labelValues[index]!, classes });
  return { images: values, labels: labelValues, count, rows, columns, channels, classes };
}

/** The images as a data set; values are scaled when they are read, through a table with one entry for each byte. */
export function imagesDataset(encoded: EncodedImages, scaling: InputScaling): ResidentDataset {
  const { images, labels, count, rows, columns, channels, classes } = encoded;
  const sampleSize = rows * columns * channels;
  const inputOf = Float32Array.from(
    { length: 256 },
    (_, byte) => (byte * scaling.scale - scaling.mean) / scaling.deviation,
  );
  return {
    length: count,
    sampleShape: [rows, columns, channels],
    classes,
    encoded: { images, labels, inputOf },
    read(indices, x, y) {
      for (let i = 0, to = 0; i < indices.length; i++) {
        const sample = indices[i]!;
        if (!(sample >= 0 && sample < count)) throw new RangeError(`sample ${sample} of ${count}`);
        const end = (sample + 1) * sampleSize;
        for (let from = sample * sampleSize; from < end; from++, to++) x[to] = inputOf[images[from]!]!;
        y[i] = labels[sample]!;
      }
    },
  };
}
