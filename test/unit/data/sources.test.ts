import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../../src/core/digest.js';
import { resolveDataset } from '../../../src/data/sources.js';
import { idxBytes } from './idx-bytes.js';

const files: Record<string, Buffer> = {
  'train-images-idx3-ubyte': idxBytes([2, 1, 2], [1, 2, 3, 4]),
  'train-labels-idx1-ubyte': idxBytes([2], [0, 1]),
  't10k-images-idx3-ubyte': idxBytes([1, 1, 2], [5, 6]),
  't10k-labels-idx1-ubyte': idxBytes([1], [2]),
};

describe('resolveDataset', () => {
  const folders: string[] = [];
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** A folder with the four files, some of them replaced or, with undefined, left out. */
  async function folderWith(changes: Record<string, Buffer | undefined> = {}): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'lockstep-sources-'));
    folders.push(folder);
    for (const [name, bytes] of Object.entries({ ...files, ...changes })) {
      if (bytes) await writeFile(join(folder, name), bytes);
    }
    return folder;
  }

  it('finds MNIST and knows it by its content', async () => {
    const { files: found, train, test } = await resolveDataset('mnist');
    assert.deepEqual(
      found.map(({ role, bytes }) => [role, bytes]),
      [
        ['train-images', 47_040_016],
        ['train-labels', 60_008],
        ['test-images', 7_840_016],
        ['test-labels', 10_008],
      ],
    );
    assert.equal(found[1]?.sha256, '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5');
    assert.deepEqual([train.count, train.rows, train.columns, train.channels, test.count], [60_000, 28, 28, 1, 10_000]);
    assert.deepEqual([...train.labels.subarray(0, 8)], [5, 0, 4, 1, 9, 2, 1, 3]);
  });

  it('takes a folder, plain or compressed, with a dash or a dot in the names; the digest is that of the content', async () => {
    const plain = await resolveDataset(await folderWith());
    const mixed = await resolveDataset(
      await folderWith({
        'train-images-idx3-ubyte': undefined,
        'train-images-idx3-ubyte.gz': gzipSync(files['train-images-idx3-ubyte']!),
        't10k-images-idx3-ubyte': undefined,
        't10k-images.idx3-ubyte': files['t10k-images-idx3-ubyte'],
        't10k-labels-idx1-ubyte': undefined,
        't10k-labels.idx1-ubyte.gz': gzipSync(files['t10k-labels-idx1-ubyte']!),
      }),
    );
    const contentOf = ({ files: found }: typeof plain) => found.map(({ path: _, ...file }) => file);
    assert.deepEqual(contentOf(mixed), contentOf(plain));
    assert.deepEqual(mixed.train, plain.train);
    assert.equal(plain.files[0]?.sha256, sha256(files['train-images-idx3-ubyte']!));
  });

  it('names what is missing or does not fit', async () => {
    await assert.rejects(resolveDataset('minst'), { code: 'DATASET_NOT_FOUND', message: /minst/ });
    const lacking = await folderWith({ 't10k-labels-idx1-ubyte': undefined });
    await assert.rejects(resolveDataset(lacking), {
      code: 'DATASET_FILE_MISSING',
      message: `no file ${join(lacking, 't10k-labels-idx1-ubyte')}, nor a .gz of it (test-labels)`,
    });
    const misfit = await folderWith({ 't10k-images-idx3-ubyte': idxBytes([1, 2, 2], [5, 6, 7, 8]) });
    await assert.rejects(resolveDataset(misfit), {
      code: 'IMAGE_SHAPE_MISMATCH',
      message: /images of 1 x 2 x 1, but .* of 2 x 2 x 1/,
    });
    const swapped = await folderWith({ 'train-labels-idx1-ubyte': files['train-images-idx3-ubyte'] });
    await assert.rejects(resolveDataset(swapped), {
      code: 'IDX_WRONG_MAGIC',
      message: /train-labels-idx1-ubyte is not/,
    });
  });
});
