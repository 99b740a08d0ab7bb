import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { lastLine, runToEnd, workshop } from './lockstep.js';

const training = ['--model', 'mlp', '--optimizer', 'sgd', '--lr', '0.2', '--global-batch', '40', '--epochs', '6'];

describe('a plan', () => {
  test('measures, predicts, is kept, and is compared with a run', async (t) => {
    const { folder, path, smallDataset } = workshop(t);
    const data = ['--dataset', smallDataset()];
    const options = ['--target-accuracy', '0.9', '--max-workers', '8', '--cores', '2', '--out', path('plan.json')];
    const made = await runToEnd(['plan', ...training, ...data, ...options], folder);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /0\.9 was reached after \d+ steps/);
    assert.match(made.stdout, /Workers share 2 cores: while two compute there, their exchange takes \d+\.\d\d ms/);
    assert.match(made.stdout, /workers +batch/);
    assert.ok(existsSync(path('plan.json')));

    const train = ['train', ...training, ...data, '--workers', '2', '--out', path('run'), '--metrics-port', '0'];
    assert.equal((await runToEnd(train, folder)).code, 0);
    const compared = await runToEnd(['plan', '--from', path('plan.json'), '--compare', path('run'), '--json'], folder);
    const line = lastLine(compared.stdout);
    assert.deepEqual([line['worldSize'], line['globalBatchSize']], [2, 40]);
    assert.equal(line['ratio'], Number(line['predicted']) / Number(line['imagesPerSecond']));

    const missing = await runToEnd(['plan', '--from', path('plan.json'), '--compare', path('data')], folder);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /\[PLAN_UNREADABLE\]/);
  });
});
