/** NumPy's npz: a zip archive, nothing in it compressed, with one npy file for each tensor (NumPy's "Format specification"). */
import { npyHeader } from '../core/npy-header.js';
import { dataOf, type Tensor } from './safetensors.js';

/** The same content gives the same file. Zip has local times, and none before this one. */
const date = new Date(1980, 0, 1);

/** @returns the file in pieces. Names become those of `numpy.load(...)['conv1.kernel']` */
export async function* encodeNpz(tensors: readonly Tensor[]): AsyncIterable<Uint8Array> {
  const { Uint8ArrayReader, ZipWriter } = await import('@zip.js/zip.js');
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const options = {
    level: 0,
    lastModDate: date,
    extendedTimestamp: false,
    dataDescriptor: false,
    useWebWorkers: false,
  };
  const archive = new ZipWriter(writable, options);
  const write = async (): Promise<void> => {
    for (const tensor of tensors) await archive.add(`${tensor.name}.npy`, new Uint8ArrayReader(encodeNpy(tensor)));
    await archive.close();
  };
  const writing = write();
  writing.catch((error: unknown) => writable.abort(error)); //        whoever reads the pieces learns why there are no more
  yield* readable;
  await writing;
}

export function encodeNpy(tensor: Tensor): Uint8Array {
  return Buffer.concat([npyHeader('<f4', tensor.shape), dataOf(tensor)]);
}
