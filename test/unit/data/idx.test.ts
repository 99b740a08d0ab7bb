import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encodedImages, imagesDataset, type NamedContent } from '../../../src/data/encoded-images.js';
import { parseIdx, readIdxContent, sharedBytes } from '../../../src/data/idx.js';
import { idxBytes } from './idx-bytes.js';

function named(path: string, bytes: Uint8Array): NamedContent {
  const content = sharedBytes(bytes.length);
  content.set(bytes);
  return { path, content };
}

const images = idxBytes([3, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7, 252, 253, 254, 255]);
const labels = idxBytes([3], [9, 0, 4]);

describe('IDX', () => {
  let folder = '';
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'lockstep-idx-'))));
  after(() => rm(folder, { recursive: true }));

  async function readBack(name: string, bytes: Uint8Array) {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return readIdxContent(path);
  }

  it('reads plain and gzip files alike, whatever their names are', async () => {
    const large = idxBytes(
      [3, 700, 700],
      Array.from({ length: 3 * 700 * 700 }, (_, i) => i & 255),
    ); // more than one chunk
    for (const bytes of [images, large]) {
      assert.deepEqual(Buffer.from(await readBack('plain', bytes)), bytes);
      assert.deepEqual(Buffer.from(await readBack('packed', gzipSync(bytes))), bytes);
    }
    assert.ok((await readBack('plain', images)).buffer instanceof SharedArrayBuffer);
  });

  it('names the file and what is wrong with it', async () => {
    const path = join(folder, 'none');
    await assert.rejects(readIdxContent(path), {
      code: 'DATASET_FILE_UNREADABLE',
      message: `cannot read ${path}: ENOENT: no such file or directory`,
    });
    await assert.rejects(readIdxContent(folder), { code: 'DATASET_FILE_UNREADABLE' });
    const packed = gzipSync(images);
    await assert.rejects(readBack('cut.gz', packed.subarray(0, packed.length - 12)), {
      code: 'GZIP_CORRUPT',
      message: /cut\.gz is corrupt gzip data: /,
    });
    const flipped = Buffer.from(packed);
    flipped[packed.length - 6]! ^= 1; //                           in the checksum
    await assert.rejects(readBack('flipped.gz', flipped), { code: 'GZIP_CORRUPT', message: /incorrect data check/ });
    assert.deepEqual(await readBack('empty', new Uint8Array(0)), sharedBytes(0));
  });

  it('checks magic number and size before it believes the header', () => {
    const parse = (bytes: Uint8Array, dimensions: number[]) => () =>
      parseIdx(named('f', bytes).content, dimensions, 'f');
    assert.deepEqual(parse(images, [3, 4])().shape, [3, 2, 2]);
    assert.throws(parse(labels, [3, 4]), {
      code: 'IDX_WRONG_MAGIC',
      message: 'f is not an IDX file of bytes with 3 or 4 dimensions: it begins with 00 00 08 01',
    });
    assert.throws(parse(new Uint8Array(0), [1]), { code: 'IDX_WRONG_MAGIC', message: /it begins with nothing/ });
    assert.throws(parse(Buffer.from('PK\x03\x04 a zip file'), [1]), { code: 'IDX_WRONG_MAGIC' });
    assert.throws(parse(images.subarray(0, 10), [3]), {
      code: 'IDX_TRUNCATED',
      message: 'f is truncated: 10 bytes of 16',
    });
    assert.throws(parse(images.subarray(0, 20), [3]), {
      code: 'IDX_TRUNCATED',
      message: 'f is truncated: 20 bytes of 28',
    });
    assert.throws(parse(idxBytes([4_294_967_295, 4_294_967_295, 9], []), [3]), { code: 'IDX_TRUNCATED' });
    assert.throws(parse(Buffer.concat([images, Buffer.of(1)]), [3]), { code: 'IDX_TRAILING_BYTES' });
    assert.throws(parse(idxBytes([0, 28, 28], []), [3]), { code: 'IDX_EMPTY', message: /0 x 28 x 28/ });
  });

  it('pairs images with labels', () => {
    const encoded = encodedImages(named('i', images), named('l', labels));
    assert.deepEqual(
      { ...encoded, images: 0, labels: 0 },
      { images: 0, labels: 0, count: 3, rows: 2, columns: 2, channels: 1, classes: 10 },
    );
    const colour = encodedImages(
      named('i', idxBytes([1, 1, 2, 3], [1, 2, 3, 4, 5, 6])),
      named('l', idxBytes([1], [0])),
    );
    assert.equal(colour.channels, 3);
    assert.throws(() => encodedImages(named('i', images), named('l', idxBytes([2], [1, 2]))), {
      code: 'IMAGE_LABEL_COUNT_MISMATCH',
      message: 'i has 3 images, but l has 2 labels',
    });
    assert.throws(() => encodedImages(named('i', images), named('l', idxBytes([3], [1, 10, 2]))), {
      code: 'LABEL_OUT_OF_RANGE',
      message: 'l: label 1 is 10, but there are 10 classes (0 to 9)',
    });
  });

  it('reads samples in any order, scaled', () => {
    const data = imagesDataset(encodedImages(named('i', images), named('l', labels)), {
      scale: 1 / 255,
      mean: 0.5,
      deviation: 0.25,
    });
    const x = new Float32Array(9).fill(-7);
    const y = new Int32Array(3).fill(-7);
    data.read([2, 0], x, y);
    const expected = [252, 253, 254, 255, 0, 1, 2, 3].map((p) => (p / 255 - 0.5) / 0.25);
    assert.deepEqual(x, Float32Array.from([...expected, -7]));
    assert.deepEqual(y, Int32Array.of(4, 9, -7));
    assert.deepEqual([data.length, data.sampleShape, data.classes], [3, [2, 2, 1], 10]);
    assert.throws(() => data.read([3], x, y), RangeError);
    assert.throws(() => data.read([NaN], x, y), RangeError);
  });

  it('a scale of 1/255 gives exactly float32(p / 255)', () => {
    const bytes = Array.from({ length: 256 }, (_, p) => p);
    const encoded = encodedImages(named('i', idxBytes([1, 16, 16], bytes)), named('l', idxBytes([1], [0])));
    const x = new Float32Array(256);
    imagesDataset(encoded, { scale: 1 / 255, mean: 0, deviation: 1 }).read([0], x, new Int32Array(1));
    assert.deepEqual(
      x,
      Float32Array.from(bytes, (p) => p / 255),
    );
  });
});
