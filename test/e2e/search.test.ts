import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonLines, lastLine, runToEnd, workshop } from './lockstep.js';

describe('a search', () => {
  test('finds the same with any number of trials at a time, and the best has the weights that train gives', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const training = ['--model', 'mlp', '--optimizer', 'momentum', '--steps', '12', '--global-batch', '40'];
    const data = ['--dataset', smallDataset(), '--validation', '80', '--json'];
    const space = ['--space', 'lr=0.001..1:log', '--space', 'momentum=0..0.95'];
    const size = ['--method', 'pso,random', '--trials', '9', '--population', '3'];
    const search = (out: string, slots: string) =>
      runToEnd(['search', ...training, ...data, ...space, ...size, '--slots', slots, '--out', path(out)], folder);
    const one = await search('one', '1');
    assert.equal(one.code, 0, one.stderr);
    const three = await search('three', '3');
    interface Result {
      readonly results: readonly { best: Record<string, number>; bestSoFar: number[]; weightsDigest: string }[];
    }
    const [{ results }, { results: others }] = [one, three].map(
      ({ stdout }) => lastLine(stdout) as unknown as Result,
    ) as [Result, Result];
    assert.deepEqual(others, results);
    assert.equal(results.length, 2);
    assert.equal(results[0]!.bestSoFar.length, 9);

    const again = await search('one', '1');
    assert.equal(jsonLines(again.stdout).filter(({ type }) => type === 'trial').length, 0, 'all of it was there');
    const { best, weightsDigest } = results[0]!;
    const options = ['--lr', String(best['lr']), '--optimizer-option', `momentum=${best['momentum']}`];
    const train = await runToEnd(['train', ...training, ...data, ...options, '--metrics-port', '0'], folder);
    assert.equal(lastLine(train.stdout)['weightsDigest'], weightsDigest);
  });

  test('bad usage is one line', async (t) => {
    const { folder } = workshop(t);
    const wrong = [
      [[], /--space is missing/],
      [['--space', 'lr=1'], /--space lr=1: expected NAME=LOW\.\.HIGH/],
      [['--space', 'lr=0.1..1', '--method', 'pos'], /--method pos: expected one of pso, ga, random/],
      [['--space', 'lr=0.1..1', '--trials', '0'], /--trials 0: expected/],
    ] as const;
    for (const [args, message] of wrong) {
      const { code, stderr } = await runToEnd(['search', ...args], folder);
      assert.equal(code, 2);
      assert.match(stderr, message);
    }
  });
});
