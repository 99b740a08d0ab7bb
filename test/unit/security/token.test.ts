import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkToken, formatToken, readToken, type TokenClaims } from '../../../src/security/token.js';

const key = Buffer.from('of the authority');
const claims: TokenClaims = { ca: 'aa', run: 'mnist', role: 'worker', id: 'x', uses: 2, expires: 1000 };
const expected = { ca: 'aa', run: 'mnist', role: 'worker', nowMs: 999_999 } as const;
const token = formatToken(claims, key);

test('a token says what it was made for', () => {
  assert.deepEqual(checkToken(token, key, expected), claims);
  assert.deepEqual(readToken(token), claims);
});

test('a token counts until it expires, for its run, its role and its authority', () => {
  assert.equal(checkToken(token, key, { ...expected, nowMs: 1_000_000 }), 'expired-token');
  assert.equal(checkToken(token, key, { ...expected, run: 'cifar' }), 'other-run');
  assert.equal(checkToken(token, key, { ...expected, ca: 'bb' }), 'other-run');
  assert.equal(checkToken(token, key, { ...expected, role: 'coordinator' }), 'other-run');
});

test('a token that was changed, or made by somebody else, is wrong', () => {
  const [prefix, , mac] = token.split('.');
  const longer = Buffer.from(JSON.stringify({ ...claims, expires: 9_999 })).toString('base64url');
  for (const forged of [
    `${prefix}.${longer}.${mac}`,
    formatToken(claims, Buffer.from('another')),
    '',
    'lockstep1',
    '..',
    token.slice(0, -1),
  ])
    assert.equal(checkToken(forged, key, expected), 'wrong-token', forged);
});

test('what is no token is told to whoever pasted it, without the secret in it', () => {
  for (const given of ['', 'lockstep1.e30.x', 'lockstep2.a.b', token.slice(0, 60)])
    assert.throws(
      () => readToken(given),
      (error: Error) =>
        /TOKEN_MALFORMED/.test((error as { code?: string }).code ?? '') && !error.message.includes(token.slice(0, 60)),
    );
});
