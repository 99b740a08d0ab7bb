import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { decode as decodePng } from 'fast-png';
import jpeg from 'jpeg-js';

import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { pathOf, unopened, type FilePath } from './paths.js';

/** What the images of a folder are. */
export interface ImageFolderOptions {
  /** Of every image; others are refused, since how to resize them is a matter of the data. */
  readonly height: number;
  readonly width: number;
  /** 1: grey, 3: red, green, blue. Default 3. */
  readonly channels?: 1 | 3;
}

/**
 * A folder with a folder for each class, with images in them: PNG (8 bits a channel) and JPEG, decoded when they are read.
 * Classes and images are numbered in the order of their names.
 *
 * @throws LockstepError `READER_INPUT`
 */
export async function images(
  folder: FilePath,
  { height, width, channels = 3 }: ImageFolderOptions,
): Promise<Dataset & { readonly classes: readonly string[] }> {
  const path = pathOf(folder);
  const classes = (await list(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const found = await Promise.all(
    classes.map(async (name, label) =>
      (await list(join(path, name)))
        .filter((entry) => /\.(png|jpe?g)$/i.test(entry.name))
        .map((entry) => ({ file: join(path, name, entry.name), label })),
    ),
  );
  const all = found.flat();
  if (all.length === 0)
    throw fault('READER_INPUT', { path, reason: 'there are no folders with .png or .jpg files in it' });
  const size = height * width * channels;
  return {
    length: all.length,
    x: { shape: [height, width, channels], dtype: 'uint8' },
    y: { shape: [], dtype: 'int32' },
    classes,
    async read(indices) {
      const x = new Uint8Array(indices.length * size);
      const read = async (index: number, i: number): Promise<void> => {
        const { file } = all[index]!;
        const picture = decode(await readFile(file), file);
        if (picture.height !== height || picture.width !== width) {
          const reason = `it has ${picture.height} x ${picture.width} pixels, not ${height} x ${width}`;
          throw fault('READER_INPUT', { path: file, reason });
        }
        copyPixels(picture, x.subarray(i * size, (i + 1) * size), channels);
      };
      await Promise.all(indices.map(read));
      return { x, y: Int32Array.from(indices, (index) => all[index]!.label) };
    },
  };
}

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Of `data`: 1 grey, 2 with alpha, 3 colours, 4 with alpha. */
  readonly channels: number;
  readonly data: ArrayLike<number>;
}

function decode(bytes: Buffer, path: string): Picture {
  try {
    if (bytes[0] === 0xff) return { ...jpeg.decode(bytes, { useTArray: true }), channels: 4 };
    const { palette, ...picture } = decodePng(bytes);
    if (picture.depth !== 8 || palette) throw new Error('only 8 bits a channel and no palette can be read');
    return picture;
  } catch (error) {
    throw fault('READER_INPUT', { path, reason: (error as Error).message }, error);
  }
}

/** Alpha is left out; colours become grey by the weights of Rec. 601. */
function copyPixels({ data, channels: from, width, height }: Picture, x: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * from;
    const [red, green, blue] = from < 3 ? [data[at]!, data[at]!, data[at]!] : [data[at]!, data[at + 1]!, data[at + 2]!];
    if (to === 1) x[pixel] = from < 3 ? red : Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    else x.set([red, green, blue], pixel * 3);
  }
}

async function list(path: string) {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw unopened(path, error, 'folder');
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
