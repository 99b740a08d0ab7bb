import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBatchHistory } from '../../../src/coordinator/replay.js';

async function historyOf(...lines: object[]) {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-replay-'));
  try {
    await writeFile(join(folder, 'metrics.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return await readBatchHistory(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const step = (number: number, globalBatchSize: number) => ({ step: number, globalBatchSize });

test('the sizes of the batches come from the records of the steps', async () => {
  const evaluation = { step: 2, testLoss: 1, testAccuracy: 0.5 };
  assert.deepEqual(await historyOf(step(1, 8), step(2, 8), evaluation, step(3, 16)), [
    { fromStep: 1, globalBatchSize: 8 },
    { fromStep: 3, globalBatchSize: 16 },
  ]);
});

test('records with a gap, or none at all, are refused', async () => {
  await assert.rejects(historyOf(step(1, 8), step(3, 8)), {
    code: 'REPLAY_INCOMPLETE',
    message: /step 2 is not in it$/,
  });
  await assert.rejects(historyOf(), { code: 'REPLAY_INCOMPLETE', message: /no step is in it$/ });
});
