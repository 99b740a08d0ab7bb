/** Readers of data sets: each gives the samples that were written, whoever asks for which, and names what it cannot read. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, test } from 'node:test';

import { encode as encodePng } from 'fast-png';
import { parquetWriteBuffer } from 'hyparquet-writer';
import jpeg from 'jpeg-js';

import type { Dataset } from '../../../src/data/dataset.js';
import * as data from '../../../src/data/library.js';
import { encodeNpy, encodeNpz } from '../../../src/store/npz.js';
import { encodeSafetensors, type Tensor } from '../../../src/store/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-readers-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array | readonly Uint8Array[]): string {
  writeFileSync(
    join(folder, name),
    Array.isArray(content) ? Buffer.concat(content as Uint8Array[]) : (content as string),
  );
  return join(folder, name);
}

async function valuesOf(set: Dataset, ...indices: number[]) {
  const { x, y } = await set.read(indices);
  return { x: [...x], y: [...y] };
}

const x = Float32Array.from({ length: 12 }, (_, i) => i / 2);
const y = Float32Array.from([3, 1, 2, 0]);
const tensors = [
  { name: 'inputs', shape: [4, 3], data: x },
  { name: 'labels', shape: [4], data: y },
];
const expected = { x: [4.5, 5, 5.5, 1.5, 2, 2.5], y: [0, 1] };

test('arrays in memory', async () => {
  const set = data.arrays({ x: { values: x, shape: [3] }, y: { values: Int32Array.from(y) } });
  assert.deepEqual([set.length, set.x, set.y], [4, { shape: [3], dtype: 'float32' }, { shape: [], dtype: 'int32' }]);
  assert.deepEqual(await valuesOf(set, 3, 1), expected);
  assert.throws(() => data.arrays({ x: { values: x, shape: [5] }, y: { values: y } }), /x has 12 values .* y 4/);
});

test('CSV: quoted fields, numbers, classes', async () => {
  const file = write('a.csv', '\ufeffa,"b, c",kind\r\n1,2,"the ""red"" one"\r\n3,-4e-1,blue\r\n\r\n');
  const classes = ['blue', 'the "red" one'];
  const set = await data.csv(pathToFileURL(file), { x: ['b, c', 'a'], y: 'kind', classes });
  const float = Math.fround(-0.4);
  assert.deepEqual(await valuesOf(set, 1, 0), { x: [float, 3, 2, 1], y: [0, 1] });
  assert.deepEqual((await data.csv(file, { x: ['a'], y: 'b, c' })).y, { shape: [1], dtype: 'float32' });
  for (const [columns, message] of [
    [{ x: ['z'], y: 'a' }, /a\.csv: it has no column z; there are a, b, c, kind/],
    [{ x: ['kind'], y: 'a' }, /a\.csv: row 1 has "the .* in kind, which is no number/],
    [{ x: ['a'], y: 'kind', classes: ['blue'] }, /row 1 has the class the "red" one in kind, not one of blue/],
  ] as const)
    await assert.rejects(data.csv(file, columns), { code: 'READER_INPUT', message });
  for (const [content, message] of [
    ['a,b\n1\n', /b\.csv: Invalid Record Length: expect 2, got 1 on line 2/],
    ['a,b\n"1,2\n', /b\.csv: Quote Not Closed: .* line 2/],
  ] as const)
    await assert.rejects(data.csv(write('b.csv', content), { x: ['a'], y: 'b' }), message);
  await assert.rejects(data.csv(join(folder, 'gone.csv'), { x: ['a'], y: 'b' }), /gone\.csv: no such file/);
});

async function archiveOf(tensors: readonly Tensor[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeNpz(tensors)) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('npy, npz, safetensors', async () => {
  const [inputs, labels] = tensors.map(encodeNpy);
  const set = await data.npy({ x: write('x.npy', inputs!), y: write('y.npy', labels!) });
  assert.deepEqual(await valuesOf(set, 3, 1), expected);
  const names = { x: 'inputs', y: 'labels' };
  const content = await archiveOf(tensors);
  assert.deepEqual(await archiveOf(tensors), content, 'the same tensors give the same file');
  const archive = write('both.npz', content);
  assert.deepEqual(await valuesOf(await data.npz(archive, names), 3, 1), expected);
  await assert.rejects(data.npz(archive, { x: 'inputs', y: 'gone' }), /no array gone; there are inputs, labels/);
  const tensorFile = write('both.safetensors', encodeSafetensors({ tensors, metadata: {} }));
  assert.deepEqual(await valuesOf(await data.safetensors(tensorFile, names), 3, 1), expected);
  await assert.rejects(
    data.safetensors(tensorFile, { x: 'inputs', y: 'gone' }),
    /no tensor gone; there are inputs, labels/,
  );
  await assert.rejects(data.safetensors(archive, names), /it is no safetensors file/);
  await assert.rejects(data.npz(tensorFile, names), /it is no zip archive/);
  const damaged = Buffer.from(content);
  damaged[damaged.indexOf(Buffer.from(x.buffer)) + 5]! ^= 1;
  await assert.rejects(data.npz(write('d.npz', damaged), names), /d\.npz: inputs\.npy in it is damaged/);
});

test('IDX, read in place: a file that is shorter than its header says is found out', async () => {
  const images = write('i.idx', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40));
  const labels = write('l.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9));
  const set = await data.idx({ x: images, y: labels });
  assert.deepEqual([set.x, set.y.shape], [{ shape: [1, 2, 1], dtype: 'uint8' }, []]);
  assert.deepEqual(await valuesOf(set, 1), { x: [30, 40], y: [9] });
  const short = await data.idx({ x: write('s.idx', Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 1)), y: labels });
  await assert.rejects(valuesOf(short, 1), /s\.idx: it ends before sample 1/);
  await assert.rejects(data.idx({ x: write('t.idx', 'text that is no idx file'), y: labels }), /no IDX file of bytes/);
});

test('Parquet', async () => {
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'a', data: [1.5, 2.5], type: 'DOUBLE' },
      { name: 'n', data: [7n, 8n], type: 'INT64' },
      { name: 'kind', data: ['u', 'v'], type: 'STRING' },
    ],
  });
  const file = write('a.parquet', new Uint8Array(buffer));
  const set = await data.parquet(file, { x: ['n', 'a'], y: 'kind', classes: ['v', 'u'] });
  assert.deepEqual(await valuesOf(set, 1, 0), { x: [8, 2.5, 7, 1.5], y: [0, 1] });
  await assert.rejects(data.parquet(file, { x: ['z'], y: 'a' }), /no column z; there are a, n, kind/);
  await assert.rejects(data.parquet(write('b.parquet', 'no'), { x: ['z'], y: 'a' }), { code: 'READER_INPUT' });
});

test('folders of images, a folder for each class', async () => {
  const place = join(folder, 'pictures');
  for (const name of ['cats', 'dogs']) mkdirSync(join(place, name), { recursive: true });
  const pixels = Uint8Array.of(10, 20, 30, 40, 50, 60);
  const paint = (name: string, bytes: Uint8Array) => writeFileSync(join(place, name), bytes);
  paint('cats/a.png', encodePng({ width: 2, height: 1, data: pixels, channels: 3 }));
  paint('dogs/b.png', encodePng({ width: 2, height: 1, data: pixels.subarray(0, 2), channels: 1 }));
  const grey = jpeg.encode({ width: 2, height: 1, data: Buffer.alloc(8, 128) }, 100);
  paint('dogs/c.jpg', grey.data);
  const set = await data.images(place, { height: 1, width: 2 });
  assert.deepEqual([set.length, set.classes, set.x.shape], [3, ['cats', 'dogs'], [1, 2, 3]]);
  assert.deepEqual(await valuesOf(set, 1, 0), { x: [10, 10, 10, 20, 20, 20, ...pixels], y: [1, 0] });
  const { x: decoded } = await set.read([2]);
  assert.ok(
    [...decoded].every((value) => Math.abs(value - 128) <= 2),
    [...decoded].join(),
  );
  const asGrey = await data.images(place, { height: 1, width: 2, channels: 1 });
  assert.deepEqual((await valuesOf(asGrey, 0)).x, [18, 48]);
  await assert.rejects(
    valuesOf(await data.images(place, { height: 3, width: 2 }), 0),
    /a\.png: it has 1 x 2 pixels, not 3 x 2/,
  );
  paint('cats/a.png', Buffer.from('nothing of the kind'));
  await assert.rejects(valuesOf(set, 0), /a\.png: /);
});

test('map, augment and split: what chance does depends on seed, epoch and sample alone', async () => {
  const set = data.arrays({ x: { values: x, shape: [3] }, y: { values: y } });
  const sums = data.map(set, (sample) => ({ x: [sample.x[0]! + sample.x[2]!], y: sample.y }), {
    x: { shape: [1], dtype: 'float32' },
  });
  assert.deepEqual(await valuesOf(sums, 2, 0), { x: [7, 1], y: [2, 3] });
  const noisy = data.augment(set, (sample, random) => ({
    x: sample.x.map((value) => value + random.uniform()),
    y: sample.y,
  }));
  const at = async (indices: number[], seed: number, epoch: number) => [
    ...(await noisy.read(indices, { seed, epoch })).x,
  ];
  const alone = await at([2], 1, 5);
  assert.deepEqual((await at([0, 2], 1, 5)).slice(3), alone);
  for (const other of [await at([2], 2, 5), await at([2], 1, 6)]) assert.notDeepEqual(other, alone);
  const [first, second] = data.split(set, 0.25, 9);
  const all = [...(await valuesOf(first, 0, 1, 2)).y, ...(await valuesOf(second, 0)).y];
  assert.deepEqual([first.length, second.length, all.sort()], [3, 1, [0, 1, 2, 3]]);
});
