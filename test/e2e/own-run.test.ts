/** `lockstep train ./my-run.mjs`: a user's model, data and loss have what the built-in ones have. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';

import { ownLenet5 } from '../../bench/own-lenet5.js';
import { processesWith, runToEnd, slowEngine, start, workshop, type Ended, type JsonLine } from './lockstep.js';
import { reportOf, resultOf, trainLosingOne } from './results.js';

const place = workshop({ after });
const isLinux = process.platform === 'linux';

interface Parts {
  /** Statements in `read`, which has `indices`, `x`, `y`, float32 each. */
  readonly read?: string;
  readonly layers?: string;
  readonly loss?: string;
  readonly more?: string;
  readonly length?: number;
}

/** A module that learns a sum, and has been changed. @returns its path */
function moduleOf(
  name: string,
  { read = '', layers = '', loss = "'meanSquaredError'", more = '', length = 256 }: Parts,
) {
  const path = place.path(`${name}.mjs`);
  writeFileSync(
    path,
    `const set = {
  length: ${length},
  x: { shape: [3], dtype: 'float32' },
  y: { shape: [1], dtype: 'float32' },
  async read(indices, { epoch }) {
    const [x, y] = [new Float32Array(indices.length * 3), new Float32Array(indices.length)];
    indices.forEach((sample, i) => {
      const values = [37 % (sample + 2), 61 % (sample + 3), 7 % (sample + 1)].map((value) => value / 61);
      x.set(values, i * 3);
      y[i] = 2 * values[0] - 3 * values[1] + values[2];
    });
    ${read}
    return { x, y };
  },
};
export default {
  model({ tf }) {
    const dense = (units) => tf.layers.dense({ units, activation: 'tanh', inputShape: [3] });
    return tf.sequential({ layers: [dense(8), ${layers} tf.layers.dense({ units: 1 })] });
  },
  data: () => ({ train: set, validation: { ...set, length: 100 } }),
  loss: ${loss},
  readTimeoutSeconds: 1,
  ${more}
};
`,
  );
  return path;
}

const flags = [
  '--metrics-port',
  '0',
  '--json',
  '--global-batch',
  '32',
  '--micro-batch',
  '8',
  '--lr',
  '0.01',
  '--seed',
  '3',
];
const going = (module: string): string[] => ['train', module, ...flags, '--threads', '1'];
const steps = (count: number): string[] => ['--steps', String(count)];

async function train(module: string, out: string, ...more: string[]): Promise<JsonLine> {
  return reportOf(await runToEnd([...going(module), '--out', place.path(out), ...more], place.folder));
}

const farthest = '(tf, labels, outputs) => tf.max(tf.abs(tf.sub(labels, outputs)), -1)';

for (const [name, parts, count] of [
  ['named', { more: `metrics: { mse: 'meanSquaredError', farthest: ${farthest} },` }, 96],
  ['function', { loss: '(tf, labels, outputs) => labels.sub(outputs).square().mean(-1)' }, 24],
] as const) {
  test(`a run with a ${name} loss: one digest on 1 and 3 workers, with one lost on the way, and resumed`, async () => {
    const module = moduleOf(`loss-${name}`, parts);
    const alone = await train(module, `${name}-1`, ...steps(count), '--workers', '1');
    assert.deepEqual([alone['model'], alone['steps']], [`loss-${name}`, count]);
    assert.ok(Number(alone['finalLoss']) < (name === 'named' ? 0.05 : 0.4), `it learns: ${String(alone['finalLoss'])}`);
    // The run that loses one has three until then.
    const args = [...going(module), ...steps(count)];
    const three = isLinux
      ? await trainLosingOne(place, args, `${name}-lost`, 8, slowEngine(5))
      : await train(module, `${name}-3`, ...steps(count), '--workers', '3');
    assert.deepEqual(resultOf(three), resultOf(alone));
    const { testAccuracy, bestTestAccuracy, testLoss } = alone;
    assert.deepEqual([testAccuracy, bestTestAccuracy], [null, null], 'nothing is correct or wrong here');
    assert.ok(Number(testLoss) < 1, String(testLoss));
    const { mse, farthest } = (alone['testMetrics'] ?? {}) as Record<string, number>;
    assert.equal(mse !== undefined, name === 'named');
    if (mse !== undefined) assert.ok(Math.abs(mse / Number(testLoss) - 1) < 1e-5, `${mse}, not ${String(testLoss)}`);
    if (mse !== undefined) assert.ok(farthest! ** 2 < mse, 'a mean of squares is more than the square of the mean');
    const evaluated = async (...more: string[]): Promise<JsonLine> =>
      reportOf(await runToEnd(['evaluate', '--json', '--model', place.path(`${name}-1`), ...more], place.folder));
    const { set, samples, ...figures } = await evaluated();
    assert.deepEqual([set, samples], ['validation', 100]);
    for (const key of ['testLoss', 'testAccuracy', 'testMetrics'])
      assert.deepEqual(figures[key], alone[key], `${key}: evaluate says what the run said, to the bit`);
    assert.equal((await evaluated('--set', 'train', '--module', module))['samples'], 256);
    await train(module, `${name}-resumed`, ...steps(11), '--workers', '2');
    const resume = [
      'train',
      '--resume',
      place.path(`${name}-resumed`),
      ...steps(count),
      '--metrics-port',
      '0',
      '--json',
    ];
    assert.deepEqual(resultOf(reportOf(await runToEnd(resume, place.folder))), resultOf(alone));
  });
}

test('the loss as a function gives the loss of that name, nearly', async () => {
  const [own, named] = await Promise.all(
    ['function', 'named'].map((name) =>
      train(place.path(`loss-${name}.mjs`), `near-${name}`, ...steps(20), '--workers', '1'),
    ),
  );
  const ratio = Number(own!['finalLoss']) / Number(named!['finalLoss']);
  assert.ok(Math.abs(ratio - 1) < 1e-4, String(ratio));
});

test('a built-in model and data, named or built in a module, are those of the flags: same plan, same digest', async () => {
  const data = place.smallDataset();
  const named = place.path('named.mjs');
  const built = place.path('built.mjs');
  writeFileSync(named, `export default { model: 'mlp', data: ${JSON.stringify(data)} };`);
  writeFileSync(
    built,
    `const kernelInitializer = 'glorotUniform';
const model = ({ tf }) =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ name: 'flatten', inputShape: [28, 28, 1] }),
      tf.layers.dense({ name: 'dense1', kernelInitializer, units: 128, activation: 'relu' }),
      tf.layers.dense({ name: 'dense2', kernelInitializer, units: 10 }),
    ],
  });
export default { model, data: 'data' };`,
  );
  const two = [...flags, ...steps(3), '--workers', '1'];
  const run = async (out: string, ...what: string[]) =>
    resultOf(reportOf(await runToEnd(['train', ...what, ...two, '--out', place.path(out)], place.folder)));
  const expected = await run('by-flags', '--model', 'mlp', '--dataset', data);
  assert.deepEqual(await run('by-name', named), expected);
  assert.deepEqual(await run('by-hand', built), expected);
  const lenet5 = place.path('lenet5.mjs');
  writeFileSync(lenet5, ownLenet5('data'));
  const convolutions = await run('lenet5-by-flags', '--model', 'lenet5', '--dataset', data);
  assert.deepEqual(await run('lenet5-by-hand', lenet5), convolutions);
});

const atSample99 = (statement: string): string =>
  `const at = indices.indexOf(99); if (at >= 0 && indices.length <= 8 && indices[0] > 0) ${statement}`;

/** What is wrong, and the one line that says so. */
const wrong: readonly (readonly [name: string, parts: Parts, code: number, message: RegExp, remedy: RegExp])[] = [
  ['syntax', { more: 'data = 3' }, 2, /syntax\.mjs: SyntaxError: .*\(line 24\)/, /mend the module/],
  [
    'layers',
    { layers: 'tf.layers.gaussianNoise({ stddev: 1 }),' },
    2,
    /GaussianNoise1 .* cannot be trained/,
    /leave the layer out/,
  ],
  ['few', { length: 20 }, 2, /a batch of 32 is more than the 20 samples of data\.train in .*few\.mjs/, /smaller batch/],
  [
    'shape',
    { read: atSample99('return { x, y: x };') },
    2,
    /shape\.mjs: read of data\.train returned for y Float32Array\(24\), not Float32Array\(8\)/,
    /typed arrays/,
  ],
  [
    'labels',
    { read: atSample99('y[at] = NaN;') },
    2,
    /labels\.mjs: y of sample 99 of data\.train has the value NaN/,
    /replace the value/,
  ],
  [
    'throws',
    { read: atSample99('throw new Error("no disk");') },
    1,
    /throws\.mjs: read of data\.train failed at 8 samples, .*: no disk/,
    /mend read/,
  ],
  [
    'hangs',
    { read: atSample99('await new Promise(() => {});') },
    1,
    /hangs\.mjs: read of data\.train has not returned 8 samples.* after 1 s/,
    /readTimeoutSeconds/,
  ],
  [
    'loops',
    { read: atSample99('for (;;);') },
    1,
    /loops\.mjs: read of data\.train has not returned/,
    /readTimeoutSeconds/,
  ],
  [
    'chance',
    { read: 'x[0] = Math.random();' },
    2,
    /chance\.mjs: data\.train on .* is not that of the run/,
    /key all chance/,
  ],
  [
    'loss',
    { loss: '(tf, labels, outputs) => tf.mean(labels)' },
    2,
    /loss\.mjs: loss returned a tensor of shape \[\], not one value a sample, \[1\]/,
    /one value a sample/,
  ],
  [
    'metric',
    { more: 'metrics: { mean: (tf, labels, outputs) => tf.mean(outputs) },' },
    2,
    /metric\.mjs: metrics\.mean returned a tensor of shape \[\], not one value a sample, \[2\]/,
    /one value a sample/,
  ],
  [
    'infinite',
    { more: 'metrics: { share: (tf, labels, outputs) => tf.mean(tf.div(outputs, tf.sub(labels, labels)), -1) },' },
    2,
    /infinite\.mjs: metrics\.share returned -?Infinity for a sample of an evaluation, though the outputs are finite/,
    /finite number for every sample/,
  ],
];

for (const [name, parts, code, message, remedy] of wrong)
  test(`what is wrong is one line with a remedy, and nothing is left running: ${name}`, async () => {
    const module = moduleOf(name, parts);
    assertRefused(
      await runToEnd(
        [...going(module), '--workers', '2', '--out', place.path(name), '--log-level', 'error'],
        place.folder,
      ),
      code,
      message,
      remedy,
    );
    if (isLinux)
      assert.deepEqual(
        processesWith(
          place.folder,
          readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)),
        ),
        [],
      );
  });

test('a module that is not the same on a worker: that worker says so, and the run goes on with others', async () => {
  const [module, other] = [moduleOf('one', {}), moduleOf('another', { more: '// changed' })];
  const out = place.path('differs');
  const coordinator = start(
    [
      'coordinator',
      module,
      ...flags,
      ...steps(4),
      '--workers',
      '1',
      '--port',
      '0',
      '--out',
      out,
      '--log-level',
      'error',
    ],
    place.folder,
  );
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  const joining = [
    'worker',
    '--coordinator',
    address!,
    '--exchange-port',
    '0',
    '--metrics-port',
    '0',
    '--log-level',
    'error',
  ];
  const refused = await runToEnd([...joining, '--module', other], place.folder);
  assertRefused(
    { ...refused, stdout: '' },
    2,
    /another\.mjs on .* is not the module that the run was begun with/,
    /bring the same file/,
  );
  const joined = await runToEnd([...joining, '--module', moduleOf('copy', {})], place.folder);
  assert.equal(joined.code, 0, joined.stderr);
  reportOf(await coordinator.ended);
});

test('--ship: a worker without the module says so, or runs what is sent if it was told to; the bits are the same', async () => {
  const module = moduleOf('travelling', {});
  const expected = await train(module, 'stays', ...steps(4), '--workers', '1');
  const options = ['--ship', ...steps(4), '--workers', '1', '--port', '0', '--log-level', 'error'];
  const coordinator = start(['coordinator', module, ...flags, ...options, '--out', place.path('ships')], place.folder);
  const [, address] = await coordinator.seen(/"coordinator":"([^"]+)"/);
  rmSync(module); //                                                  to workers it is as if they were elsewhere
  const joining = ['worker', '--coordinator', address!, '--exchange-port', '0', '--metrics-port', '0'];
  const refused = await runToEnd([...joining, '--log-level', 'error'], place.folder);
  assertRefused(
    { ...refused, stdout: '' },
    2,
    /travelling\.mjs is not on .*, and the one that the coordinator offers is not taken: .* without --accept-shipped/,
    /put the module there, .* --accept-shipped/,
  );
  const taken = ['--accept-shipped', '--cache-dir', place.path('travelled'), '--log-level', 'warn'];
  const joined = await runToEnd([...joining, ...taken], place.folder);
  assert.equal(joined.code, 0, joined.stderr);
  assert.match(joined.stderr, /--accept-shipped: running travelling\.mjs as the coordinator has sent it, .*travelled/);
  assert.deepEqual(resultOf(reportOf(await coordinator.ended)), resultOf(expected));
});

test('what a module replaces cannot be given beside it', async () => {
  const { code, stderr } = await runToEnd([...going(moduleOf('beside', {})), '--model', 'mlp'], place.folder);
  assert.equal(code, 2);
  assert.match(stderr, /--model mlp.*--module/);
  assert.ok(!existsSync(place.path('runs')));
});

/** With --json the line is an object on stdout, where there is one. */
function assertRefused({ code, stdout, stderr }: Ended, expected: number, message: RegExp, remedy: RegExp): void {
  const said = stdout
    .trim()
    .split('\n')
    .filter((line) => line.includes('"type":"error"'));
  assert.equal(code, expected, stdout + stderr);
  const error = said.length > 0 ? (JSON.parse(said[0]!) as JsonLine) : undefined;
  assert.ok(said.length <= 1);
  const lines = error ? [error['message'], error['remedy']] : stderr.trim().split('\n');
  assert.match(String(lines[0]), message);
  assert.match(String(lines[1]), remedy);
}
