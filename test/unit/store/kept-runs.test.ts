import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { keptRuns, removeRun } from '../../../src/store/kept-runs.js';
import { FolderLock } from '../../../src/store/folder-lock.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-kept-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the runs in a folder, newest first; what goes on is not removed, and checkpoints elsewhere go with their run', async () => {
  for (const [i, name] of ['old', 'going', 'no-run'].entries()) {
    mkdirSync(join(folder, name, 'checkpoints'), { recursive: true });
    writeFileSync(join(folder, name, i < 2 ? 'journal.jsonl' : 'notes.txt'), 'x'.repeat(100));
  }
  const shared = join(folder, '00000005.safetensors');
  writeFileSync(shared, 'y'.repeat(50));
  symlinkSync(shared, join(folder, 'old', 'checkpoints', '00000005.safetensors'));
  writeFileSync(join(folder, 'old', 'report.json'), '{}');
  for (const path of [shared, join(folder, 'old/report.json'), join(folder, 'old/journal.jsonl')])
    utimesSync(path, 9, 9);
  const lock = await FolderLock.acquire(join(folder, 'going'));
  const [going, old, ...more] = await keptRuns(folder);
  assert.equal(more.length, 0);
  assert.deepEqual([going?.name, going?.state], ['going', 'going']);
  assert.deepEqual([old?.name, old?.state, old?.bytes, old?.changedMs], ['old', 'finished', 152, 9000]);

  await assert.rejects(removeRun(going!.path), /is in use by process/);
  await lock.release();
  assert.equal((await keptRuns(folder))[0]?.state, 'unfinished');
  await removeRun(old!.path);
  assert.deepEqual([existsSync(old!.path), existsSync(shared)], [false, false]);
  assert.deepEqual(await keptRuns(join(folder, 'nowhere')), []);
});
