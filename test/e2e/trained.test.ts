/** `lockstep evaluate`, `predict` and `export`: what a run left is of use elsewhere. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import * as tfl from '@tensorflow/tfjs-layers';

import { decodeSafetensors } from '../../src/store/safetensors.js';
import { tf } from '../../src/engine/tensorflow.js';
import { lastLine, runToEnd, workshop, type JsonLine } from './lockstep.js';
import { fileModels, modelOf, saveModel } from './model-files.js';

const place = workshop({ after });
const data = place.smallDataset();
const images = join(data, 't10k-images-idx3-ubyte');

async function lockstep(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(args, place.folder);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function refused(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await runToEnd(args, place.folder);
  const lines = stderr.trim().split('\n');
  assert.deepEqual([code === 1 || code === 2, lines.length], [true, 2], stderr);
  return lines[0]!;
}

/** Of models that a plan covers, and does not. */
const runs: Record<string, { readonly folder: string; readonly report: JsonLine }> = {};
before(async () => {
  for (const name of ['normalised', 'uncovered'] as const) {
    const path = await saveModel(place.path(name), modelOf(fileModels[name]()));
    const folder = place.path(`run of ${name}`);
    const batches = ['--global-batch', '48', '--micro-batch', '24', '--steps', name === 'normalised' ? '40' : '6'];
    const flags = ['--model', path, '--dataset', data, '--workers', '1', '--metrics-port', '0', '--out', folder];
    runs[name] = { folder, report: lastLine(await lockstep('train', ...flags, ...batches, '--json')) };
  }
});

const tensorsOf = (folder: string) =>
  decodeSafetensors(readFileSync(join(folder, 'final.safetensors')), folder).tensors;

interface Sample {
  readonly index: number;
  readonly class: number;
  readonly probability: number;
  readonly outputs: readonly number[];
}
const samplesIn = (stdout: string): readonly Sample[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);

for (const name of ['normalised', 'uncovered'] as const) {
  describe(name, () => {
    test('evaluate says what the run said, to the bit', async () => {
      const { folder, report } = runs[name]!;
      const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n');
      const last = lines.map((line) => JSON.parse(line) as JsonLine).findLast((line) => 'testLoss' in line)!;
      const figures = JSON.parse(
        await lockstep('evaluate', '--model', folder, '--dataset', data, '--json'),
      ) as JsonLine;
      assert.equal(figures['testAccuracy'], report['testAccuracy']);
      assert.equal(figures['testLoss'], last['testLoss']);
    });

    test("TensorFlow.js's loadLayersModel opens what export wrote, and answers as predict does", async () => {
      const out = place.path(`${name}-tfjs`);
      await lockstep('export', '--model', runs[name]!.folder, '--to', 'tfjs', '--out', out);
      const content = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8')) as {
        modelTopology: object;
        weightsManifest: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
      };
      const [{ paths, weights: weightSpecs }] = content.weightsManifest as [(typeof content.weightsManifest)[0]];
      const weightData = Uint8Array.from(readFileSync(join(out, paths[0]!))).buffer;
      const { modelTopology } = content;
      const model = await tfl.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
      const pixels = readFileSync(images).subarray(16);
      const x = tf.tensor(
        Float32Array.from(pixels, (byte) => Math.fround(byte / 255)),
        [100, 28, 28, 1],
      );
      const theirs = (model.predict(x) as tf.Tensor).dataSync();
      const ours = samplesIn(await lockstep('predict', '--model', runs[name]!.folder, images, '--json'));
      assert.equal(ours.length, 100);
      ours
        .flatMap(({ outputs }) => outputs)
        .forEach((value, i) => assert.ok(Math.abs(value - theirs[i]!) < 1e-4, `${i}`));
      const again = samplesIn(await lockstep('predict', '--model', join(out, 'model.json'), images, '--json'));
      assert.deepEqual(again, ours, 'and it is a model to predict with, as the run is');
    });
  });
}

test('predict: a class and how sure it is, for bytes and for numbers of NumPy alike', async () => {
  const { folder } = runs['normalised']!;
  const inWords = await lockstep('predict', '--model', folder, images);
  assert.match(inWords.split('\n')[0]!, /t10k-images-idx3-ubyte 0: class \d \(\d+\.\d %\)$/);
  const all = samplesIn(await lockstep('predict', '--model', folder, images, '--json'));
  const labels = readFileSync(join(data, 't10k-labels-idx1-ubyte')).subarray(8);
  const right = all.filter((sample) => sample.class === labels[sample.index]).length;
  assert.equal(right / 100, runs['normalised']!.report['testAccuracy']);

  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (28, 28), }".padEnd(117) + '\n';
  const begin = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, 'latin1');
  const first = Float32Array.from(readFileSync(images).subarray(16, 16 + 784), (byte) => byte / 255);
  writeFileSync(place.path('one.npy'), Buffer.concat([begin, Buffer.from(first.buffer)]));
  const [one] = samplesIn(await lockstep('predict', '--model', folder, place.path('one.npy'), '--json'));
  assert.deepEqual(one!.outputs, all[0]!.outputs);
});

const python = (() => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['CI']) throw new Error('SKIPPED: there is no python3');
    return false;
  }
})();

/** Reads both formats with nothing but Python's own modules; prints name, shape and every value. */
const reader = `
import ast, json, struct, sys, zipfile
found = {}
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    for name in archive.namelist():
        content = archive.read(name)
        assert content[:8] == b'\\x93NUMPY\\x01\\x00'
        length, = struct.unpack('<H', content[8:10])
        header = ast.literal_eval(content[10:10 + length].decode('latin1'))
        assert header['descr'] == '<f4' and not header['fortran_order'] and (10 + length) % 64 == 0
        data = content[10 + length:]
        found[name[:-4]] = [list(header['shape']), list(struct.unpack('<%df' % (len(data) // 4), data))]
with open(sys.argv[2], 'rb') as file:
    length, = struct.unpack('<Q', file.read(8))
    header = json.loads(file.read(length))
    body = file.read()
for name, entry in header.items():
    if name == '__metadata__': continue
    begin, end = entry['data_offsets']
    values = list(struct.unpack('<%df' % ((end - begin) // 4), body[begin:end]))
    assert found[name] == [entry['shape'], values], name
print(json.dumps(found))
`;

test('Python opens npz and safetensors', { skip: python ? false : 'SKIPPED: there is no python3' }, async () => {
  const { folder } = runs['normalised']!;
  const [npz, safetensors] = [place.path('w.npz'), place.path('w.safetensors')];
  await lockstep('export', '--model', folder, '--to', 'npz', '--out', npz);
  await lockstep('export', '--model', folder, '--to', 'safetensors', '--out', safetensors);
  const printed = execFileSync('python3', ['-I', '-c', reader, npz, safetensors], { encoding: 'utf8', maxBuffer: 1e8 });
  const found = JSON.parse(printed) as Record<string, [number[], number[]]>;
  const expected = tensorsOf(folder);
  assert.equal(Object.keys(found).length, expected.length);
  for (const { name, shape, data: values } of expected) assert.deepEqual(found[name], [shape, [...values]], name);
  const of = (model: string) => lockstep('evaluate', '--model', model, '--dataset', data, '--json');
  assert.equal(await of(safetensors), await of(folder), 'what was exported can be used as what it was made from');
});

test('what is wrong is one line', async () => {
  const { folder } = runs['normalised']!;
  const model = ['--model', folder];
  assert.match(
    await refused('predict', '--model', place.path('gone'), images),
    /gone.*no such file.*WEIGHTS_UNREADABLE/,
  );
  assert.match(await refused('predict', ...model, place.path('none.npy')), /none\.npy: no such file.*INPUT_UNREADABLE/);
  writeFileSync(place.path('text.npy'), 'a text that is long enough');
  assert.match(await refused('predict', ...model, place.path('text.npy')), /text\.npy: it is no npy file/);
  const labels = join(data, 't10k-labels-idx1-ubyte');
  assert.match(await refused('predict', ...model, labels), /t10k-labels/);
  assert.match(await refused('export', ...model, '--to', 'onnx', '--out', 'x'), /--to onnx.*tfjs, npz, safetensors/);
  assert.match(await refused('export', ...model, '--to', 'npz', '--out', folder), /is there already.*OUT_IS_THERE/);
  assert.match(await refused('evaluate', ...model, '--engine', 'abacus'), /--engine abacus/);
});
