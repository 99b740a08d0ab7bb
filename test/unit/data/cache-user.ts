/** One of several processes that use a cache at a time: puts, gets and evicts the same few entries over and over. */
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/core/digest.js';
import { randomStream } from '../../../src/core/random.js';
import { Cache } from '../../../src/data/cache.js';

const [folder = '', id = ''] = process.argv.slice(2);
let nowMs = 1_700_000_000_000;
const cache = await Cache.open({ folder, limitBytes: 250_000, wallTimeMs: () => (nowMs += 1000) });
const random = randomStream(Number(id), 'cache-user');
const entries = Array.from({ length: 5 }, (_, i) => Buffer.alloc(100_000, i));
let found = 0;
for (let round = 0; round < 60; round++) {
  const entry = entries[Math.floor(random.uniform() * entries.length)]!;
  const content = await cache.get(sha256(entry));
  if (content) {
    assert.ok(entry.equals(Buffer.from(content)), 'an entry is whole or missing');
    found++;
  } else {
    await cache.put(sha256(entry), [entry.subarray(0, 40_000), entry.subarray(40_000)]);
  }
}
assert.ok(found > 0, 'the cache must have been of some use');
