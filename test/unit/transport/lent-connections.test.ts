import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { LentConnections } from '../../../src/transport/grpc/lent-connections.js';

const never = new AbortController().signal;

test('a connection that was lent before goes to the first who wants one', async () => {
  const lent = new LentConnections();
  const [first, second] = [new PassThrough(), new PassThrough()];
  lent.offer('a:1', first);
  lent.offer('b:1', second);
  assert.equal(await lent.take('a:1', never), first);
  assert.equal(await lent.take('b:1', never), second);
});

test('whoever waits gets the next one, in turn, and one that has broken is passed over', async () => {
  const lent = new LentConnections();
  const broken = new PassThrough();
  lent.offer('a:1', broken);
  broken.destroy();
  const wanted = [lent.take('a:1', never), lent.take('a:1', never)];
  const connections = [new PassThrough(), new PassThrough()];
  for (const connection of connections) lent.offer('a:1', connection);
  assert.deepEqual(await Promise.all(wanted), connections);
});

test('who gives up waiting leaves the next one to others', async () => {
  const lent = new LentConnections();
  const given = new AbortController();
  const first = lent.take('a:1', given.signal);
  const second = lent.take('a:1', never);
  given.abort(new Error('over'));
  await assert.rejects(first, /over/);
  const connection = new PassThrough();
  lent.offer('a:1', connection);
  assert.equal(await second, connection);
});

test('a worker cannot make us keep more than a few', () => {
  const lent = new LentConnections();
  const all = Array.from({ length: 6 }, () => new PassThrough());
  for (const connection of all) lent.offer('a:1', connection);
  assert.deepEqual(
    all.map(({ destroyed }) => destroyed),
    [false, false, false, false, true, true],
  );
  lent.close();
  assert.ok(all.every(({ destroyed }) => destroyed));
});
