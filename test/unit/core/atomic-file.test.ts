import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isUnfinished, writeFault, writeFileAtomically } from '../../../src/core/atomic-file.js';

describe('writeFileAtomically', () => {
  let folder = '';
  let path = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lockstep-atomic-'));
    path = join(folder, 'file');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('writes all pieces, from shared memory too, and replaces what was there', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(6), 1, 3);
    shared.set([65, 66, 67]);
    await writeFileAtomically(path, [shared, Buffer.from('DE'), new Uint8Array(0)]);
    assert.equal(await readFile(path, 'utf8'), 'ABCDE');
    await writeFileAtomically(path, []);
    assert.equal(await readFile(path, 'utf8'), '');
    assert.deepEqual(await readdir(folder), ['file']);
  });

  it('shows nothing of itself before it is whole, under a name that says so', async () => {
    await writeFileAtomically(path, [Buffer.from('old')]);
    const seen: string[] = [];
    async function* chunks() {
      yield Buffer.from('new');
      seen.push(...(await readdir(folder)), await readFile(path, 'utf8'));
    }
    await writeFileAtomically(path, chunks());
    assert.equal(seen.length, 3);
    assert.ok(isUnfinished(seen[0]!), seen[0]);
    assert.deepEqual(seen.slice(1), ['file', 'old']);
    assert.equal(await readFile(path, 'utf8'), 'new');
  });

  it('leaves what was there, and nothing else, when its content fails', async () => {
    await writeFileAtomically(path, [Buffer.from('old')]);
    function* chunks() {
      yield Buffer.from('ne');
      throw new Error('broke off');
    }
    await assert.rejects(writeFileAtomically(path, chunks()), /broke off/);
    assert.deepEqual(await readdir(folder), ['file']);
    assert.equal(await readFile(path, 'utf8'), 'old');
  });

  it('names the path that cannot be written', async () => {
    const nowhere = join(folder, 'none', 'file');
    await assert.rejects(writeFileAtomically(nowhere, []), {
      code: 'NOT_WRITABLE',
      exitCode: 1,
      message: `cannot write ${nowhere}: ENOENT: no such file or directory`,
    });
    await mkdir(join(folder, 'taken', 'inside'), { recursive: true });
    await assert.rejects(writeFileAtomically(join(folder, 'taken'), [Buffer.from('x')]), { code: 'NOT_WRITABLE' });
    assert.deepEqual(await readdir(folder), ['taken']);
    await writeFile(path, '');
    await assert.rejects(writeFileAtomically(join(path, 'below'), []), {
      code: 'NOT_WRITABLE',
      message: /ENOTDIR|ENOENT/,
    });
  });

  it('tells a full disk from a lack of permission', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    assert.equal(writeFault('f', full).code, 'DISK_FULL');
    assert.equal(writeFault('f', full).message, 'no room to write f: ENOSPC: no space left on device');
    assert.equal(writeFault('f', Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' })).code, 'NOT_WRITABLE');
  });
});
