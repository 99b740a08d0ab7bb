import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bucket } from '../../../src/transport/nats/bucket.js';
import type { NatsConnection } from '../../../src/transport/nats/connection.js';
import { answered } from '../../../src/transport/nats/requests.js';

/** A server that loses requests and answers. */

const silence = () => Object.assign(new Error('TIMEOUT'), { code: 'TIMEOUT' });
const conflict = () => Object.assign(new Error('wrong last sequence'), { api_error: { err_code: 10071 } });

test('a request that got no answer is made again, one that was refused is not', async () => {
  let count = 0;
  const lostTwice = () => (++count <= 2 ? Promise.reject(silence()) : Promise.resolve('here'));
  assert.equal(await answered(lostTwice), 'here');
  assert.equal(count, 3);

  count = 0;
  const refused = () => {
    count += 1;
    return Promise.reject(conflict());
  };
  await assert.rejects(answered(refused), /wrong last sequence/);
  assert.equal(count, 1);
});

test('a server that never answers is given up', async () => {
  let count = 0;
  const lost = () => {
    count += 1;
    return Promise.reject(silence());
  };
  await assert.rejects(answered(lost), /TIMEOUT/);
  assert.equal(count, 4);
});

/** One key. @param isLost - whether the answer to the first change is */
function bucketOn(isLost: boolean): Promise<Bucket<string>> {
  let [revision, text, changes] = [0, '', 0];
  const change = (next: string, expected: number): Promise<number> => {
    changes += 1;
    if (expected !== revision) return Promise.reject(conflict());
    revision += 1;
    text = next;
    return isLost && changes === 1 ? Promise.reject(silence()) : Promise.resolve(revision);
  };
  const kv = {
    get: () => Promise.resolve({ operation: 'PUT', revision, json: () => JSON.parse(text) as string }),
    create: (_key: string, next: string) => change(next, 0),
    update: (_key: string, next: string, expected: number) => change(next, expected),
  };
  const connection: unknown = {
    jetstream: () => ({ views: { kv: () => Promise.resolve(kv) } }),
    jetstreamManager: () => Promise.resolve({}),
  };
  return Bucket.open<string>(connection as NatsConnection, 'names');
}

test('a change whose answer was lost was made by us, and not by somebody who was faster', async () => {
  for (const isLost of [false, true]) {
    const names = await bucketOn(isLost);
    assert.equal(await names.create('key', 'ours'), 1);
    assert.equal(await names.create('key', 'theirs'), undefined);
    assert.equal(
      await names.create('key', 'ours'),
      undefined,
      'that it has our value does not mean that we were first',
    );
    assert.equal(await names.update('key', 'new', 1), 2);
    assert.equal(await names.update('key', 'newer', 1), undefined);
  }
});
