import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { layoutOf } from '../../../src/core/layout.js';
import { packageRoot } from '../../../src/core/paths.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  tensorsOf,
  weightsFrom,
  writeSafetensors,
  type Tensor,
} from '../../../src/store/safetensors.js';

const layout = layoutOf([
  { name: 'dense.kernel', shape: [2, 3] },
  { name: 'dense.bias', shape: [3] },
]);
const flat = Float32Array.from([1, -2, 3.5, -0, 1e-45, 3.4e38, NaN, Infinity, -Infinity]);
const metadata = { step: '12', 'what is it?': 'weights, "ü"' };

/** A file with this header, byte for byte, and so many bytes of data. */
function fileWith(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const entry = (shape: readonly number[], begin: number, end: number, dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  let folder = '';
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'lockstep-safetensors-'))));
  after(() => rm(folder, { recursive: true }));

  it('writes and reads back every bit', async () => {
    const path = join(folder, 'weights.safetensors');
    await writeSafetensors(path, { tensors: tensorsOf(layout, flat), metadata });
    const file = await readSafetensors(path);
    assert.deepEqual(file.metadata, metadata);
    assert.deepEqual(
      file.tensors.map(({ name, shape }) => [name, shape]),
      [
        ['dense.kernel', [2, 3]],
        ['dense.bias', [3]],
      ],
    );
    const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];
    assert.deepEqual(bits(weightsFrom(file, layout, path)), bits(flat));
  });

  it('writes the format: length, aligned header, data without copies', () => {
    const tensors = tensorsOf(layout, flat, 'adam.mean/');
    const [length, header, ...data] = encodeSafetensors({ tensors, metadata: {} });
    const headerBytes = Number(Buffer.from(length!).readBigUInt64LE());
    assert.equal(headerBytes, header!.length);
    assert.equal(headerBytes % 8, 0);
    assert.deepEqual(JSON.parse(Buffer.from(header!).toString()), {
      'adam.mean/dense.kernel': entry([2, 3], 0, 24),
      'adam.mean/dense.bias': entry([3], 24, 36),
    });
    assert.ok(data.every((piece) => piece.buffer === flat.buffer));
  });

  it('reads what the reference implementation wrote', async () => {
    const path = join(packageRoot, 'test/fixtures/golden/init.safetensors');
    const file = await readSafetensors(path);
    const lenet5 = layoutOf(file.tensors);
    assert.equal(lenet5.parameterCount, 44_426);
    assert.deepEqual(
      lenet5.tensors.slice(0, 2).map(({ name, shape }) => [name, shape]),
      [
        ['conv1.kernel', [5, 5, 1, 6]],
        ['conv1.bias', [6]],
      ],
    );
    const data = readFileSync(path).subarray(-44_426 * 4);
    assert.equal(weightsFrom(file, lenet5, path)[44_425], data.readFloatLE(44_425 * 4));
  });

  it('brings back any tensors, empty ones and scalars included', () => {
    const tensor = fc.record({
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      name: fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 }),
        fc.nat(7),
        (shapes, shift) => {
          const tensors: Tensor[] = shapes.map(({ name, shape }, k) => {
            const size = shape.reduce((product, d) => product * d, 1);
            return { name, shape, data: Float32Array.from({ length: size }, (_, i) => k * 100 + i) };
          });
          const bytes = Buffer.concat([Buffer.alloc(shift), ...encodeSafetensors({ tensors, metadata: {} })]);
          const read = decodeSafetensors(bytes.subarray(shift), 'f').tensors; // at any alignment
          const byName = (list: readonly Tensor[]) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
          assert.deepEqual(byName(read), byName(tensors));
        },
      ),
      { seed: 4, numRuns: 200 },
    );
  });

  it('refuses what is damaged, at every length and in every way that a header can lie', () => {
    const whole = Buffer.concat(encodeSafetensors({ tensors: tensorsOf(layout, flat), metadata }));
    for (let bytes = 0; bytes < whole.length; bytes++) {
      assert.throws(
        () => decodeSafetensors(whole.subarray(0, bytes), 'f'),
        { code: 'WEIGHTS_TRUNCATED' },
        `${bytes} bytes`,
      );
    }
    const refused: [Buffer, string, RegExp][] = [
      [Buffer.concat([whole, Buffer.alloc(4)]), 'WEIGHTS_NOT_SAFETENSORS', /4 bytes behind the last tensor/],
      [Buffer.from('\x89HDF\r\n\x1a\n and more'), 'WEIGHTS_NOT_SAFETENSORS', /header would be \d+ bytes long/],
      [fileWith('{"a":', 0), 'WEIGHTS_NOT_SAFETENSORS', /header is not JSON/],
      [fileWith('[]', 0), 'WEIGHTS_NOT_SAFETENSORS', /not a JSON object/],
      [fileWith({ a: 1 }, 0), 'WEIGHTS_NOT_SAFETENSORS', /says nothing about a$/],
      [fileWith({ a: entry([1], 0, 2, 'F16') }, 2), 'TENSOR_WRONG_TYPE', /^f: tensor a is F16, expected F32$/],
      [fileWith({ a: { ...entry([], 0, 4), shape: [-1] } }, 4), 'WEIGHTS_NOT_SAFETENSORS', /a has no valid shape/],
      [fileWith({ a: { dtype: 'F32', shape: [1] } }, 4), 'WEIGHTS_NOT_SAFETENSORS', /a has no valid data_offsets/],
      [
        fileWith({ a: entry([2], 0, 4) }, 4),
        'TENSOR_WRONG_PLACE',
        /^f: tensor a is at 0 to 4, expected 0 to 8 of the data$/,
      ],
      [fileWith({ a: entry([1], 0, 4), b: entry([1], 0, 4) }, 8), 'TENSOR_WRONG_PLACE', /tensor b is at 0 to 4/],
      [fileWith({ a: entry([2], 0, 8), b: entry([1], 4, 8) }, 8), 'TENSOR_WRONG_PLACE', /tensor b is at 4 to 8/],
      [fileWith({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12), 'TENSOR_WRONG_PLACE', /tensor b is at 8 to 12/],
      [fileWith({ a: entry([1], 4, 0) }, 4), 'TENSOR_WRONG_PLACE', /tensor a is at 4 to 0/],
      [fileWith({ a: entry([100], 0, 400) }, 4), 'WEIGHTS_TRUNCATED', /^f is truncated: \d+ bytes, expected \d+$/],
    ];
    for (const [bytes, code, message] of refused) {
      assert.throws(() => decodeSafetensors(bytes, 'f'), { code, message }, String(message));
    }
  });

  it('takes exactly the weights of the model', async () => {
    const [kernel, bias] = tensorsOf(layout, flat) as [Tensor, Tensor];
    const from =
      (...tensors: Tensor[]) =>
      () =>
        weightsFrom({ tensors, metadata: {} }, layout, 'f');
    assert.deepEqual(from(bias, kernel)(), flat);
    assert.throws(from(kernel), {
      code: 'TENSOR_MISSING',
      message: 'f has no tensor dense.bias, expected one of shape [3]',
    });
    assert.throws(from(kernel, bias, { ...bias, name: 'x' }), {
      code: 'TENSOR_UNKNOWN',
      message: /tensor x of shape \[3\]/,
    });
    assert.throws(from({ ...kernel, shape: [3, 2] }, bias), {
      code: 'TENSOR_WRONG_SHAPE',
      message: 'f: tensor dense.kernel has shape [3, 2], expected [2, 3]',
    });
    const path = join(folder, 'none');
    await assert.rejects(readSafetensors(path), {
      code: 'WEIGHTS_UNREADABLE',
      message: `cannot read ${path}: ENOENT: no such file or directory`,
    });
    await writeFile(path, 'junk');
    await assert.rejects(readSafetensors(path), {
      code: 'WEIGHTS_TRUNCATED',
      message: `${path} is truncated: 4 bytes, expected 8`,
    });
  });
});
