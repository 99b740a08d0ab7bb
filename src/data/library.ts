/**
 * What `data` of the library has: readers, and data sets made of others.
 *
 * @module
 */

export { arrays, type ArrayPart, type Arrays } from './readers/arrays.js';
export { csv, type CsvOptions } from './readers/csv.js';
export { idx } from './readers/idx-files.js';
export { images, type ImageFolderOptions } from './readers/image-folder.js';
export { npy } from './readers/npy-files.js';
export { npz } from './readers/npz-file.js';
export { parquet } from './readers/parquet.js';
export type { FilePath } from './readers/paths.js';
export { safetensors } from './readers/safetensors-file.js';
export type { TableColumns } from './readers/table.js';
export { augment, map, split, type MadeFormats, type MadeSample, type Sample } from './transforms.js';
