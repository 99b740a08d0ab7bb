import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatHostPort, isWildcardHost, listenError, parseHostPort } from '../../../src/core/address.js';
import { type LockstepError } from '../../../src/core/errors.js';

describe('HOST:PORT', () => {
  test('names, IPv4 and IPv6', () => {
    assert.deepEqual(parseHostPort('node-1.cluster:7070'), { host: 'node-1.cluster', port: 7070 });
    assert.deepEqual(parseHostPort(' 10.0.0.1:0 '), { host: '10.0.0.1', port: 0 });
    assert.deepEqual(parseHostPort('[fe80::1%eth0]:65535'), { host: 'fe80::1%eth0', port: 65535 });
  });
  test('anything else is refused', () => {
    for (const text of [
      '',
      'a',
      'a:',
      ':1',
      '::1:1',
      '[::1]',
      '[::1]1',
      'a:65536',
      'a:-1',
      'a:1x',
      'a b:1',
      'http://a:1',
      '[a b]:1',
    ])
      assert.equal(parseHostPort(text), undefined, text);
  });
  test('what is written can be read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        assert.deepEqual(parseHostPort(formatHostPort({ host, port })), { host, port });
      }),
      { seed: 1, numRuns: 300 },
    );
  });
  test('wildcards', () =>
    assert.deepEqual(['0.0.0.0', '::', '127.0.0.1', '::1'].map(isWildcardHost), [true, true, false, false]));
});

test('errors of listen get a code; others stay as they are', () => {
  const failing = (code: string) => Object.assign(new Error(code), { code });
  const codeOf = (error: Error) => (listenError(error, { host: 'h', port: 7 }, '--port') as LockstepError).code;
  assert.equal(codeOf(failing('EADDRINUSE')), 'PORT_IN_USE');
  assert.equal(codeOf(failing('EACCES')), 'PORT_NOT_PERMITTED');
  assert.equal(codeOf(failing('EADDRNOTAVAIL')), 'ADDRESS_NOT_HERE');
  const other = failing('EMFILE');
  assert.equal(listenError(other, { host: 'h', port: 7 }, '--port'), other);
});
