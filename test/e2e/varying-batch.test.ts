import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { lastLine, runToEnd, workshop } from './lockstep.js';

const training = ['--model', 'mlp', '--optimizer', 'momentum', '--lr', '0.01', '--epochs', '6', '--metrics-port', '0'];

function sizesOf(folder: string): number[] {
  const records = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const sizes = records.flatMap((line) => (JSON.parse(line) as { globalBatchSize?: number }).globalBatchSize ?? []);
  return sizes.filter((size, i) => size !== sizes[i - 1]);
}

describe('batches that vary', () => {
  test('--global-batch auto follows the noise scale, the same with 1 and 3 workers, and resumed', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const data = ['--dataset', smallDataset(), '--json'];
    const adaptive = ['--global-batch', 'auto', '--batch-min', '8', '--batch-max', '64', '--lr-scaling', 'linear'];
    const run = (out: string, ...more: string[]) =>
      runToEnd(['train', ...training, ...data, ...adaptive, '--out', path(out), ...more], folder);
    const one = await run('one', '--workers', '1');
    assert.equal(one.code, 0, one.stderr);
    const three = await run('three', '--workers', '3');
    const digest = lastLine(one.stdout)['weightsDigest'];
    assert.equal(lastLine(three.stdout)['weightsDigest'], digest);
    const sizes = sizesOf(path('one'));
    assert.ok(sizes.length > 1 && Math.max(...sizes) <= 64 && Math.min(...sizes) >= 8, sizes.join());

    const half = await run('half', '--workers', '2', '--epochs', '3');
    assert.equal(half.code, 0, half.stderr);
    const resume = ['train', '--resume', path('half'), '--epochs', '6', '--json', '--metrics-port', '0'];
    const resumed = await runToEnd(resume, folder);
    assert.equal(lastLine(resumed.stdout)['weightsDigest'], digest, resumed.stderr);
  });

  test('--batch-growth takes the place of a falling rate, the same with 1 and 2 workers', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const growth = ['--global-batch', '32', '--micro-batch', '8', '--batch-growth', 'every=2epochs,factor=2'];
    const options = [...training, ...growth, '--batch-max', '100', '--dataset', smallDataset(), '--json'];
    const one = await runToEnd(['train', ...options, '--workers', '1', '--out', path('one')], folder);
    const two = await runToEnd(['train', ...options, '--workers', '2', '--out', path('two')], folder);
    assert.equal(one.code, 0, one.stderr);
    assert.equal(lastLine(two.stdout)['weightsDigest'], lastLine(one.stdout)['weightsDigest']);
    assert.deepEqual(sizesOf(path('one')), [32, 64, 96]);
  });

  test('what does not go together is said', async (t) => {
    const { folder } = workshop(t);
    const wrong = [
      [['--global-batch', 'auto', '--sync-every', '4'], /\[LOCAL_STEPS_NEED_FIXED_BATCH\]/],
      [
        ['--global-batch', 'auto', '--batch-min', '512', '--batch-max', '64'],
        /--batch-min 512 is above --batch-max 64/,
      ],
      [['--global-batch', 'auto', '--micro-batch', '24'], /--batch-min 64 .* is not a multiple of .* 24/],
      [['--global-batch', 'auto', '--batch-growth', 'every=2epochs'], /\[GROWTH_NEEDS_NUMBER\]/],
      [['--batch-growth', 'every=2'], /every=2 must be a number of epochs/],
    ] as const;
    for (const [args, message] of wrong) {
      const { code, stderr } = await runToEnd(['train', ...args], folder);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  });
});
