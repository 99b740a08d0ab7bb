/** What `data` of the library has: readers, and data sets made of others. */
export { arrays } from './readers/arrays.js';
export { csv } from './readers/csv.js';
export { idx } from './readers/idx-files.js';
export { images } from './readers/image-folder.js';
export { npy } from './readers/npy-files.js';
export { npz } from './readers/npz-file.js';
export { parquet } from './readers/parquet.js';
export { safetensors } from './readers/safetensors-file.js';
export { augment, map, split } from './transforms.js';
