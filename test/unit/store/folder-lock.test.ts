import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FolderLock } from '../../../src/store/folder-lock.js';

describe('FolderLock', () => {
  let folder = '';
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'lockstep-lock-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const markOf = (number: number, owner: object): Promise<void> =>
    writeFile(join(folder, `lock.${number}`), JSON.stringify(owner));
  const inUse = { code: 'RUN_IN_USE' };

  it('is held by one at a time, and leaves nothing behind', async () => {
    const lock = await FolderLock.acquire(folder);
    await assert.rejects(FolderLock.acquire(folder), { ...inUse, message: new RegExp(`process ${process.pid} on`) });
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
    const second = await FolderLock.acquire(folder);
    await lock.release(); //                                          the first owner again: not its lock any more
    await assert.rejects(FolderLock.acquire(folder), inUse);
    await second.release();
  });

  it('of many who come at once exactly one or none gets it, and never two', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']); //       a process that has ended
    for (let round = 0; round < 20; round++) {
      await markOf(1, { pid, host: hostname(), birth: '' });
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => FolderLock.acquire(folder)));
      const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      assert.ok(held.length <= 1, `${held.length} hold it`);
      for (const lock of held) await lock.release();
      const lock = await FolderLock.acquire(folder); //                  whoever gave way left nothing
      await lock.release();
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('a mark of a process that is gone counts for nothing', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await markOf(3, { pid, host: hostname(), birth: 'another boot:12' });
    const lock = await FolderLock.acquire(folder);
    assert.deepEqual(await readdir(folder), ['lock.4']);
    await lock.release();
  });

  it('nor one whose number another process has by now', { skip: process.platform !== 'linux' }, async () => {
    await markOf(1, { pid: process.pid, host: hostname(), birth: 'another boot:12' });
    await (await FolderLock.acquire(folder)).release();
    const lock = await FolderLock.acquire(folder);
    const { birth } = JSON.parse(await readFile(join(folder, 'lock.1'), 'utf8')) as { birth: string };
    assert.match(birth, /^[0-9a-f-]{36}:\d+$/);
    await lock.release();
  });

  it('one of another machine, or one that is being written, is respected', async () => {
    await markOf(1, { pid: 1, host: `not-${hostname()}`, birth: '' });
    await assert.rejects(FolderLock.acquire(folder), { ...inUse, message: /process 1 on not-.*lock\.1$/ });
    await writeFile(join(folder, 'lock.1'), '');
    await assert.rejects(FolderLock.acquire(folder), { ...inUse, message: /did not finish writing/ });
  });
});
