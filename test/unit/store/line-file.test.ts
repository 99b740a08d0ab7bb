import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { LineFile, readLines } from '../../../src/store/line-file.js';

describe('LineFile', () => {
  let path = '';
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lockstep-lines-'));
    path = join(folder, 'lines.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));
  const content = (): Promise<string> => readFile(path, 'utf8');
  const linesIn = async (): Promise<unknown[]> => {
    const values: unknown[] = [];
    for await (const value of readLines(path)) values.push(value);
    return values;
  };

  /** As a full disk does: of each of the next writes some bytes arrive. */
  async function diskIsFull(t: TestContext, times: number): Promise<void> {
    const probe = await open(folder);
    const handles = Object.getPrototypeOf(probe) as FileHandle;
    await probe.close();
    const appendFile: FileHandle['appendFile'] = Reflect.get(handles, 'appendFile');
    let left = times;
    t.mock.method(handles, 'appendFile', async function (this: FileHandle, data: Buffer) {
      if (left-- <= 0) return appendFile.call(this, data);
      await appendFile.call(this, data.subarray(0, 5));
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    });
  }

  it('loses no line to a disk that is full for a while, and tears none', async (t) => {
    const file = await LineFile.create(path);
    file.append({ step: 1 });
    await file.flush();
    await diskIsFull(t, 2);
    file.append({ step: 2 });
    await assert.rejects(file.sync(), { code: 'DISK_FULL' });
    assert.equal(await content(), '{"step":1}\n');
    file.append({ step: 3 });
    await assert.rejects(file.flush(), { code: 'DISK_FULL' });
    file.append({ step: 4 });
    await file.sync();
    await file.close();
    assert.deepEqual(
      await linesIn(),
      [1, 2, 3, 4].map((step) => ({ step })),
    );
  });

  it('a durable line that failed never appears, nor any behind it', async (t) => {
    const file = await LineFile.create(path);
    await file.appendDurably({ generation: 1 });
    await diskIsFull(t, 1);
    await assert.rejects(file.appendDurably({ generation: 2 }), { code: 'DISK_FULL' });
    await assert.rejects(file.appendDurably({ generation: 3 }), { code: 'DISK_FULL' });
    await assert.rejects(file.close(), { code: 'DISK_FULL' });
    assert.deepEqual(await linesIn(), [{ generation: 1 }]);
  });

  it('goes on with a file of an earlier process: without torn lines, and without those that are not wanted', async () => {
    await writeFile(path, '{"step":1}\n{"step":2}\n\0\0\0\n{"step":3}\n{"step":4}\n{"st');
    const file = await LineFile.reopen(path, (value) => (value as { step: number }).step <= 3);
    assert.equal(await content(), '{"step":1}\n{"step":2}\n{"step":3}\n');
    file.append({ step: 4 });
    await file.close();
    assert.deepEqual(
      await linesIn(),
      [1, 2, 3, 4].map((step) => ({ step })),
    );
  });

  it('goes on where nothing was', async () => {
    const file = await LineFile.reopen(path);
    await file.appendDurably({ step: 1 });
    await file.close();
    assert.deepEqual(await linesIn(), [{ step: 1 }]);
  });
});
