/** What `train()` writes down for workers: arrays come back as they were, and what cannot travel is refused. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';

import * as data from '../../../src/data/library.js';
import { loadRunModule, openData } from '../../../src/own/load-module.js';
import type { ProgramRun } from '../../../src/program/definition.js';
import { train } from '../../../src/program/train.js';
import { writeRun } from '../../../src/program/written-run.js';

const pictures = data.arrays({
  x: { values: Uint8Array.from({ length: 24 }, (_, i) => i * 9), shape: [2, 4, 1] },
  y: { values: Int32Array.of(2, 0, 1) },
});

test('arrays of all kinds, read in place', async () => {
  const lines = data.arrays({
    x: { values: new Float32Array([1, 2]) },
    y: { values: new Float32Array([3, 4]), shape: [1] },
  });
  for (const [set, name] of [
    [pictures, 'validation'],
    [lines, 'test'],
  ] as const) {
    const path = await writeRun({ model: 'mlp', data: { train: pictures, [name]: set }, inputScaling: { scale: 0.5 } });
    const run = await loadRunModule(path);
    const opened = await openData(path, run);
    rmSync(dirname(dirname(path)), { recursive: true });
    assert.deepEqual(run.inputScaling, { scale: 0.5 });
    assert.equal(opened.test.set, name);
    const { length, x, y } = opened.test.data;
    assert.deepEqual({ length, x, y }, { length: set.length, x: set.x, y: set.y });
  }
  const path = await writeRun({ model: 'mlp', data: { train: pictures } });
  const { train: written } = await openData(path, await loadRunModule(path));
  assert.deepEqual(await written.data.read([2, 0]), await pictures.read([2, 0]));
  rmSync(dirname(dirname(path)), { recursive: true });
});

const refused: readonly (readonly [what: string, run: unknown, message: RegExp])[] = [
  [
    'a data set with code',
    { model: 'mlp', data: { train: data.map(pictures, (s) => s) } },
    /data\.train .* code of the program's own/,
  ],
  ['a copy of arrays', { model: 'mlp', data: { train: { ...pictures } } }, /data\.train .* cannot travel/],
  ['a loss', { model: 'mlp', data: { train: pictures }, loss: () => 0 }, /loss of the run is a value of type function/],
  ['no data', { model: 'mlp' }, /data of the run is missing/],
  ['a function', { model: 'mlp', data: () => ({ train: pictures }) }, /data of the run is a value of type function/],
  ['no model', { data: { train: pictures } }, /model of the run is missing/],
];

for (const [what, run, message] of refused)
  test(`what cannot travel is refused, with a remedy, before anything starts: ${what}`, async () => {
    await assert.rejects(train(run as ProgramRun).result, {
      code: 'RUN_CANNOT_TRAVEL',
      message,
      remedy: /data\.arrays/,
    });
  });

test('an option that is not known, or has a wrong value', async () => {
  const run = { model: 'mlp', data: { train: pictures } };
  await assert.rejects(
    train(run, { workerz: 2 } as object).result,
    /unknown key workerz in the options, did you mean workers\?/,
  );
  await assert.rejects(train(run, { workers: 0 }).result, /workers: 0 in the options/);
});

test('a signal that was aborted before: its reason', async () => {
  const reason = new Error('not today');
  const run = train({ model: 'mlp', data: 'mnist' }, { signal: AbortSignal.abort(reason) });
  await assert.rejects(run.result, reason);
  await assert.rejects(async () => {
    for await (const event of run) assert.fail(event.type);
  }, reason);
});
