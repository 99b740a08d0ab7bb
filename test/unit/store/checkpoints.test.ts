import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sha256 } from '../../../src/core/digest.js';
import { layoutOf } from '../../../src/core/layout.js';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  stateVectorsFrom,
  type CheckpointFacts,
  type StateVectors,
} from '../../../src/store/checkpoint-file.js';
import { checkpointName, newestCheckpoint, removeOldCheckpoints } from '../../../src/store/checkpoints.js';
import { encodeSafetensors, writeSafetensors } from '../../../src/store/safetensors.js';

const layout = layoutOf([
  { name: 'dense/a.kernel', shape: [2, 2] },
  { name: 'dense/a.bias', shape: [2] },
]);
const state: StateVectors = {
  description: JSON.stringify({ step: 7, scalars: { t: 7, beta1: 0.1 + 0.2 } }),
  vectors: [
    { name: 'weights', values: Float32Array.of(1, -0, 1e-45, NaN, Infinity, 0.1) },
    { name: 'mean', values: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'variance', values: Float32Array.of(6, 5, 4, 3, 2, 1) },
  ],
};
const facts: CheckpointFacts = { runId: 'r1', step: 7, seconds: 1.25, runSpec: '{"seed":1}', numericsVersion: 1 };
const bytesOf = (step = 7): Buffer =>
  Buffer.concat(encodeSafetensors(encodeCheckpoint(layout, state, { ...facts, step })));

describe('a checkpoint', () => {
  it('brings back every bit of the state, and what it belongs to', () => {
    const { file, facts: read } = decodeCheckpoint(bytesOf(), 'c');
    assert.deepEqual(read, facts);
    assert.deepEqual(stateVectorsFrom(file, layout, 'c'), state);
    assert.deepEqual(
      file.tensors.map(({ name }) => name),
      ['', 'optimizer.mean/', 'optimizer.variance/'].flatMap((p) => [`${p}dense/a.kernel`, `${p}dense/a.bias`]),
    );
  });

  it('says the SHA-256 of its data section, as anybody can compute it', () => {
    const bytes = bytesOf();
    const data = bytes.subarray(8 + Number(bytes.readBigUInt64LE()));
    const { metadata } = decodeCheckpoint(bytes, 'c').file;
    assert.equal(metadata['sha256'], createHash('sha256').update(data).digest('hex'));
  });

  it('is refused with any bit of its data changed, cut anywhere, or written by somebody else', () => {
    const whole = bytesOf();
    const dataStart = 8 + Number(whole.readBigUInt64LE());
    for (let at = dataStart; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1 << (at % 8);
      assert.throws(() => decodeCheckpoint(changed, 'c'), { code: 'CHECKPOINT_DAMAGED', message: /SHA-256/ }, `${at}`);
    }
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => decodeCheckpoint(whole.subarray(0, length), 'c'), { name: 'LockstepError' });
    const plain = encodeCheckpoint(layout, state, facts);
    for (const [key, value, reason] of [
      ['format', 'pt', /lockstep did not write it/],
      ['formatVersion', '9', /format version 9, not 1/],
      ['state', undefined, /does not say its state/],
      ['runSpec', undefined, /does not say its runSpec/],
    ] as const) {
      const entries = Object.entries({ ...plain.metadata, [key]: value }).filter(([, v]) => v !== undefined);
      const metadata = Object.fromEntries(entries) as Record<string, string>;
      const bytes = Buffer.concat(encodeSafetensors({ ...plain, metadata }));
      assert.throws(() => decodeCheckpoint(bytes, 'c'), { code: 'CHECKPOINT_DAMAGED', message: reason });
    }
  });

  it('of another model is refused, the tensor named', () => {
    const other = layoutOf([{ name: 'dense/a.kernel', shape: [3, 2] }]);
    const { file } = decodeCheckpoint(bytesOf(), 'c');
    assert.throws(() => stateVectorsFrom(file, other, 'c'), { code: 'TENSOR_WRONG_SHAPE' });
  });
});

/** What a checkpoint is for Python: names, shapes and bits of the tensors, and the metadata. */
const pythonReader = `
import json, sys, safetensors, safetensors.numpy
tensors = safetensors.numpy.load_file(sys.argv[1])
with safetensors.safe_open(sys.argv[1], 'np') as file: metadata = file.metadata()
print(json.dumps([{n: [list(t.shape), t.tobytes().hex()] for n, t in tensors.items()}, metadata]))`;
const hasPython = spawnSync('python3', ['-c', 'import safetensors.numpy']).status === 0;

describe('the checkpoints of a run', () => {
  let folder = '';
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'lockstep-checkpoints-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const pathOf = (step: number): string => join(folder, checkpointName(step));
  const write = (step: number): Promise<void> =>
    writeSafetensors(pathOf(step), encodeCheckpoint(layout, state, { ...facts, step }));

  it('the newest is found, with what it is called where it travels', async () => {
    for (const step of [5, 100_000_000, 99_999_999]) await write(step); // one digit more sorts before, as a text
    const found = await newestCheckpoint(folder, assert.fail);
    const content = await readFile(pathOf(100_000_000));
    assert.deepEqual(found, {
      ...facts,
      step: 100_000_000,
      path: pathOf(100_000_000),
      sha256: sha256(content),
      bytes: content.length,
    });
  });

  it('damaged ones are named, put aside and passed over', async () => {
    for (const step of [5, 10, 15, 20]) await write(step);
    await truncate(pathOf(20), 700);
    await writeFile(pathOf(15), '');
    await writeFile(join(folder, '.00000025.safetensors.x.unfinished'), 'half');
    const passedOver: string[] = [];
    const found = await newestCheckpoint(folder, (name, reason) => passedOver.push(`${name}: ${reason}`));
    assert.equal(found?.step, 10);
    assert.deepEqual(
      passedOver.map((line) => line.replace(/:.* (is|are) /, ': ')),
      [`00000020.safetensors: ${passedOver[0]!.split(' is ')[1]}`, passedOver[1]!.replace(/:.* is /, ': ')],
    );
    assert.match(passedOver.join('\n'), /^00000020.*truncated.*\n00000015.*truncated/);
    assert.deepEqual((await readdir(folder)).sort(), [
      '00000005.safetensors',
      '00000010.safetensors',
      '00000015.safetensors.damaged',
      '00000020.safetensors.damaged',
    ]);
    assert.equal((await newestCheckpoint(folder, assert.fail))?.step, 10, 'nobody is told twice');
  });

  it('Python reads them', { skip: hasPython ? false : 'no python3 with safetensors and numpy here' }, async () => {
    await write(7);
    const { stdout, stderr } = spawnSync('python3', ['-c', pythonReader, pathOf(7)], { encoding: 'utf8' });
    assert.equal(stderr, '');
    const file = encodeCheckpoint(layout, state, facts);
    const bits = ({ data }: { readonly data: Float32Array }): string =>
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
    const expected = Object.fromEntries(file.tensors.map((tensor) => [tensor.name, [tensor.shape, bits(tensor)]]));
    assert.deepEqual(JSON.parse(stdout), [expected, file.metadata]);
  });

  it('none is found in an empty folder, nor where there is no folder', async () => {
    assert.equal(await newestCheckpoint(folder, assert.fail), undefined);
    assert.equal(await newestCheckpoint(join(folder, 'none'), assert.fail), undefined);
  });

  it('old ones are removed, but for the one that is still in use', async () => {
    for (const step of [5, 10, 15, 20]) await write(step);
    await writeFile(join(folder, 'notes.txt'), '');
    await removeOldCheckpoints(folder, 2, 5);
    assert.deepEqual((await readdir(folder)).sort(), [
      '00000005.safetensors',
      '00000015.safetensors',
      '00000020.safetensors',
      'notes.txt',
    ]);
    await removeOldCheckpoints(folder, 1);
    assert.deepEqual((await readdir(folder)).sort(), ['00000020.safetensors', 'notes.txt']);
  });
});
