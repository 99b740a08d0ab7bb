import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { sha256 } from '../../../src/core/digest.js';
import { Cache, defaultCacheFolder } from '../../../src/data/cache.js';

describe('Cache', () => {
  let folder = '';
  let nowMs = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lockstep-cache-'));
    nowMs = 1_700_000_000_000;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const openCache = (limitBytes = 1e9) => Cache.open({ folder, limitBytes, wallTimeMs: () => (nowMs += 1000) });
  const content = (fill: number, bytes = 1000) => Buffer.alloc(bytes, fill);

  it('gives back what was put, from shared memory', async () => {
    const cache = await openCache();
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) & 255));
    const digest = sha256(bytes);
    assert.equal(await cache.get(digest), undefined);
    await cache.put(digest, [bytes.subarray(0, 1_234_567), bytes.subarray(1_234_567)]);
    const found = await cache.get(digest);
    assert.ok(found && found.buffer instanceof SharedArrayBuffer);
    assert.ok(bytes.equals(Buffer.from(found)));
    assert.deepEqual(await readdir(folder), [digest]);
  });

  it('keeps nothing of a stream that breaks off or is not what it should be', async () => {
    const cache = await openCache();
    const digest = sha256(content(1));
    await assert.rejects(cache.put(digest, [content(2)]), {
      code: 'CACHE_CONTENT_MISMATCH',
      message: new RegExp(`expected ${digest}`),
    });
    await assert.rejects(
      cache.put(
        digest,
        (function* () {
          yield content(1, 500);
          throw new Error('connection lost');
        })(),
      ),
      /connection lost/,
    );
    assert.deepEqual(await readdir(folder), []);
    assert.equal(await cache.get(digest), undefined);
  });

  it('takes a corrupt entry for missing and removes it', async () => {
    const cache = await openCache();
    const digest = sha256(content(1));
    for (const damaged of [content(1, 999), Buffer.concat([content(1, 999), Buffer.of(2)]), Buffer.alloc(0)]) {
      await cache.put(digest, [content(1)]);
      await writeFile(join(folder, digest), damaged);
      assert.equal(await cache.get(digest), undefined);
      assert.deepEqual(await readdir(folder), []);
    }
  });

  it('evicts what was used longest ago, never what it just wrote', async () => {
    const cache = await openCache(3500);
    const digests = [1, 2, 3, 4].map((fill) => sha256(content(fill)));
    for (const fill of [1, 2, 3]) await cache.put(digests[fill - 1]!, [content(fill)]);
    await cache.get(digests[0]!);
    await cache.put(digests[3]!, [content(4)]);
    assert.deepEqual((await readdir(folder)).sort(), [digests[0]!, digests[2]!, digests[3]!].sort());
    const large = content(9, 5000);
    await cache.put(sha256(large), [large]);
    assert.deepEqual(await readdir(folder), [sha256(large)]);
  });

  it('clears up after processes that were killed, and leaves files alone that are being written', async () => {
    const names = ['.old.1.unfinished', '.new.2.unfinished', 'somebody-elses-file'];
    for (const name of names) await writeFile(join(folder, name), 'x');
    await utimes(join(folder, names[0]!), nowMs / 1000 - 7200, nowMs / 1000 - 7200);
    await utimes(join(folder, names[1]!), nowMs / 1000 - 60, nowMs / 1000 - 60);
    await openCache(0);
    assert.deepEqual((await readdir(folder)).sort(), names.slice(1).sort());
  });

  it('is safe for several processes at a time', async () => {
    const processes = await Promise.all(
      [0, 1, 2].map((id) => {
        const child = fork(join(import.meta.dirname, 'cache-user.js'), [folder, String(id)], { stdio: 'inherit' });
        return new Promise<number | null>((resolve) => child.on('exit', resolve));
      }),
    );
    assert.deepEqual(processes, [0, 0, 0]);
    for (const name of await readdir(folder)) assert.equal(sha256(await readFile(join(folder, name))), name);
  });

  it('lies where the environment says', () => {
    assert.equal(defaultCacheFolder({ LOCKSTEP_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b' }), '/a');
    assert.equal(defaultCacheFolder({ XDG_CACHE_HOME: '/b' }), join('/b', 'lockstep'));
    assert.match(defaultCacheFolder({}), /\.cache.lockstep$/);
  });

  it('says so when it cannot write', async () => {
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'cache');
    await assert.rejects(Cache.open({ folder: path, limitBytes: 1, wallTimeMs: () => 0 }), {
      code: 'NOT_WRITABLE',
      message: new RegExp(`cannot write ${path}: E`),
    });
  });
});
