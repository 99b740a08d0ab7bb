import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownAddressTowards } from '../../../src/worker/own-address.js';

test('loopback is reached from loopback', async () => {
  assert.equal(await ownAddressTowards({ host: '127.0.0.1', port: 7070 }), '127.0.0.1');
});

test('a name without an address is an error', async () => {
  await assert.rejects(ownAddressTowards({ host: 'nobody.invalid', port: 7070 }), /nobody\.invalid/);
});
