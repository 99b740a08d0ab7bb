import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { jsonLines, lastLine, runToEnd, workshop } from './lockstep.js';

const common = ['--model', 'mlp', '--optimizer', 'sgd', '--lr', '0.2', '--epochs', '3', '--validation', '80'];

describe('a sweep', () => {
  test('gives each trial the weights that train gives, in one process and with any number of workers; and goes on', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const data = ['--dataset', smallDataset()];
    const sweep = ['sweep', ...common, ...data, '--workers', '1,3', '--beyond-target', '--json'];
    const first = await runToEnd([...sweep, '--global-batch', '40', '--out', path('sweep')], folder);
    assert.equal(first.code, 0, first.stderr);
    const second = await runToEnd([...sweep, '--global-batch', '40,100', '--out', path('sweep')], folder);
    assert.equal(second.code, 0, second.stderr);
    assert.equal(jsonLines(second.stdout).filter(({ type }) => type === 'trial').length, 2, 'only what was not there');

    const result = lastLine(second.stdout) as unknown as {
      trials: { axes: Record<string, string>; weightsDigest: string; evaluations: { accuracy: number }[] }[];
    };
    assert.equal(result.trials.length, 4);
    for (const batch of ['40', '100']) {
      const options = [...common, ...data, '--global-batch', batch, '--workers', '2', '--json', '--metrics-port', '0'];
      const train = await runToEnd(['train', ...options], folder);
      const report = lastLine(train.stdout);
      const trials = result.trials.filter(({ axes }) => axes['global-batch'] === batch);
      assert.deepEqual(
        trials.map(({ weightsDigest }) => weightsDigest),
        [report['weightsDigest'], report['weightsDigest']],
      );
      assert.equal(Math.max(...trials[0]!.evaluations.map(({ accuracy }) => accuracy)), report['bestTestAccuracy']);
    }
    for (const name of ['sweep.csv', 'sweep.json', 'sweep.html', 'trials.jsonl'])
      assert.ok(existsSync(join(path('sweep'), name)), name);
  });

  test('ends a trial at its target, gives up what only guesses, and keeps its hands off other folders', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const data = ['--dataset', smallDataset()];
    const options = ['sweep', '--model', 'mlp', '--optimizer', 'sgd', ...data, '--epochs', '400', '--validation', '80'];
    const aims = ['--global-batch', '40', '--target-accuracy', '0.5,0.9', '--patience', '8000'];
    const out = ['--lr', '0.2,0.000001', '--out', path('sweep'), '--json'];
    const swept = await runToEnd([...options, ...aims, ...out], folder);
    assert.equal(swept.code, 0, swept.stderr);
    const ends = jsonLines(swept.stdout).flatMap((line) => (line.type === 'trial-ended' ? line['end'] : []));
    assert.deepEqual(ends, ['target', 'hopeless']);
    const elsewhere = await runToEnd([...options, '--out', path('data')], folder);
    assert.equal(elsewhere.code, 2);
    assert.match(elsewhere.stderr, /\[LAB_FOLDER\]/);
  });

  test('bad usage is one line', async (t) => {
    const { folder } = workshop(t);
    const wrong = [
      [['--preset', 'sead'], /--preset sead: expected one of seed, /],
      [['--target-accuracy', '97'], /--target-accuracy 97: expected/],
      [['--global-batch', '32,'], /--global-batch 32,: a value is missing/],
      [['--global-batch', '0'], /--global-batch 0: expected/],
      [['--slots', 'x'], /--slots x: expected/],
      [
        ['--nats', 'nats://127.0.0.1:1', '--threads', '2'],
        /--threads and --nats: what a worker has is said by the agent/,
      ],
    ] as const;
    for (const [args, message] of wrong) {
      const { code, stderr } = await runToEnd(['sweep', ...args], folder);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
    assert.equal(existsSync(join(folder, 'sweep')), false);
  });
});
