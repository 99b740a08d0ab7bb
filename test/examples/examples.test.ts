/** `examples/`: each runs as its README says, gives the same bits whoever computes, and learns as its reference does. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { packageRoot } from '../../src/core/paths.js';
import { readSafetensors } from '../../src/store/safetensors.js';
import { jsonLines, lastLine, runToEnd, slowEngine, workshop, type JsonLine } from '../e2e/lockstep.js';
import { reportOf, resultOf, trainLosingOne } from '../e2e/results.js';
import {
  accuracyOfCounts,
  errorOfComponents,
  errorOfLine,
  errorOfMean,
  shareOfLargestClass,
  tablesOf,
  type Tables,
} from './baselines.js';
import { trainedByTensorFlow } from './reference.js';

const place = workshop({ after });
const folder = join(packageRoot, 'examples');

/** Of the evaluation after the last step. */
interface Figures {
  readonly loss: number;
  /** NaN where there is none. */
  readonly accuracy: number;
}

interface Bar {
  /** What a gradient that is wrong, or has no effect, does not reach. */
  readonly isPassed: (figures: Figures) => boolean;
  /** Whether TensorFlow.js's own `fit` trains it, too: depthwise convolutions take it two minutes. */
  readonly hasReference: boolean;
  /** A step after which a worker is killed. */
  readonly lostAfter: number;
}

/** Beside each what is reached without a hidden layer, or by chance. */
const bars: Readonly<Record<string, Bar>> = {
  'csv-regression': { isPassed: ({ loss }) => loss < 0.04, hasReference: true, lostAfter: 100 }, //          a line: 0.142
  'image-folders': { isPassed: ({ accuracy }) => accuracy > 0.9, hasReference: false, lostAfter: 20 }, //   chance: 0.333
  'text-classifier': { isPassed: ({ accuracy }) => accuracy > 0.95, hasReference: true, lostAfter: 30 }, // counts: 0.463
  'transfer-learning': { isPassed: ({ accuracy }) => accuracy > 0.85, hasReference: true, lostAfter: 20 }, //  chance: 0.333
  autoencoder: { isPassed: ({ loss }) => loss < 0.006, hasReference: true, lostAfter: 100 }, //   4 components: 0.0121
};

test('every example is tested, and is one file of at most 60 lines beside a README', () => {
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(bars).sort());
  for (const name of Object.keys(bars)) {
    const files = readdirSync(join(folder, name), { withFileTypes: true });
    const code = files.filter((file) => /\.[cm]?[jt]s$/.test(file.name));
    assert.deepEqual(
      [code.map((file) => file.name), files.some((file) => file.name === 'README.md')],
      [['run.mjs'], true],
    );
    const lines = readFileSync(join(folder, name, 'run.mjs'), 'utf8')
      .trimEnd()
      .split('\n').length;
    assert.ok(lines <= 60, `${name}/run.mjs has ${lines} lines`);
  }
});

for (const [name, { isPassed, hasReference, lostAfter }] of Object.entries(bars)) {
  const args = argumentsOf(name);
  const train = async (workers: string): Promise<{ readonly report: JsonLine; readonly figures: Figures }> => {
    const done = await runToEnd(
      [...args, '--workers', workers, '--out', place.path(`${name}-${workers}`)],
      place.folder,
    );
    return { report: reportOf(done), figures: figuresOf(done.stdout) };
  };

  test(`${name}: one digest on 1 and 3 workers, and with one killed on the way; it learns, and evaluates as it did`, async (t) => {
    const { report, figures } = await train('1');
    t.diagnostic(`loss ${figures.loss.toPrecision(3)}, accuracy ${figures.accuracy.toPrecision(3)}`);
    assert.ok(isPassed(figures), JSON.stringify(figures));
    assert.deepEqual(resultOf((await train('3')).report), resultOf(report));
    const again = await runToEnd(['evaluate', '--model', place.path(`${name}-3`), '--json'], place.folder);
    const { testLoss, testAccuracy, testMetrics } = reportOf(again);
    const said = {
      testLoss: report['testLoss'],
      testAccuracy: report['testAccuracy'],
      testMetrics: report['testMetrics'],
    };
    assert.deepEqual({ testLoss, testAccuracy, testMetrics }, said, 'evaluated again');
    if (process.platform !== 'linux') return;
    const lost = await trainLosingOne(place, args, `${name}-lost`, lostAfter, slowEngine(1));
    assert.deepEqual(resultOf(lost), resultOf(report));
  });

  test(`${name}: the same model in TensorFlow.js passes the same bar`, { skip: !hasReference }, async (t) => {
    const figures = await trainedByTensorFlow(join(folder, name, 'run.mjs'), args);
    t.diagnostic(`loss ${figures.loss.toPrecision(3)}, accuracy ${figures.accuracy.toPrecision(3)}`);
    assert.ok(isPassed(figures), JSON.stringify(figures));
  });
}

/** Figures of its README, by the words in front of them, and what they are. */
const baselines: readonly (readonly [name: string, words: string, figure: (tables: Tables) => string])[] = [
  ['csv-regression', 'always the mean', (tables) => errorOfMean(tables).toFixed(3)],
  ['csv-regression', 'the best straight line', (tables) => errorOfLine(tables).toFixed(3)],
  ['text-classifier', 'counts of words', (tables) => `${(accuracyOfCounts(tables) * 100).toFixed(0)} %`],
  ['autoencoder', 'always the mean picture', (tables) => errorOfMean(tables).toFixed(4)],
  ['autoencoder', 'four principal components', (tables) => errorOfComponents(tables, 4).toFixed(4)],
  ['image-folders', 'by chance', (tables) => `${(shareOfLargestClass(tables) * 100).toFixed(0)} %`],
  ['transfer-learning', 'by chance', (tables) => `${(shareOfLargestClass(tables) * 100).toFixed(0)} %`],
];
for (const [name, words, figureOf] of baselines)
  test(`${name}: ${words} reaches what its README says`, async () => {
    const readme = readFileSync(join(folder, name, 'README.md'), 'utf8');
    const [, said] = new RegExp(`^\\| ${words}[^|]*\\| +([^|]*?) +\\|$`, 'm').exec(readme) ?? [];
    assert.equal(figureOf(await tablesOf(join(folder, name, 'run.mjs'))), said);
  });

test('transfer-learning: all but the last layer is what was saved, bit for bit', async () => {
  const saved = readFileSync(join(folder, 'transfer-learning', 'saved', 'weights.bin'));
  const { tensors } = await readSafetensors(join(place.path('transfer-learning-1'), 'final.safetensors'));
  const frozen = tensors.filter(({ name }) => !name.startsWith('shapes.'));
  assert.deepEqual([frozen.length, tensors.length], [6, 8]);
  for (const { name, data } of frozen)
    assert.ok(saved.includes(Buffer.from(data.buffer, data.byteOffset, data.byteLength)), name);
});

/** The command of its README, without the number of workers: one flag and its value after the other. */
function argumentsOf(name: string): string[] {
  const readme = readFileSync(join(folder, name, 'README.md'), 'utf8');
  const [, command = ''] = /^lockstep (train (?:.*\\\n)*.*)$/m.exec(readme) ?? [];
  const words = command.replaceAll('\\\n', ' ').trim().split(/\s+/);
  const at = words.indexOf('--workers');
  assert.ok(words[1] === `examples/${name}/run.mjs` && at > 0, `README.md of ${name} shows no command`);
  words.splice(at, 2);
  words[1] = join(packageRoot, words[1]);
  return [...words, '--metrics-port', '0', '--threads', '1', '--json'];
}

function figuresOf(stdout: string): Figures {
  const evaluation = jsonLines(stdout).findLast(({ type }) => type === 'evaluation')!;
  assert.equal(evaluation['step'], lastLine(stdout)['steps'], 'after the last step');
  return { loss: Number(evaluation['testLoss']), accuracy: Number(evaluation['testAccuracy'] ?? NaN) };
}
