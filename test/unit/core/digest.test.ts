import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { sha256, weightsDigest } from '../../../src/core/digest.js';

/** The definition, written down a second time without shortcuts. */
function slowDigest(weights: Float32Array): string {
  const bytes = Buffer.alloc(weights.length * 4);
  weights.forEach((w, i) => (Number.isNaN(w) ? bytes.writeUInt32LE(0x7fc00000, i * 4) : bytes.writeFloatLE(w, i * 4)));
  return createHash('sha256').update(bytes).digest('hex');
}

describe('digest', () => {
  it('hashes bytes and text', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // FIPS 180-2
    assert.equal(sha256('abc'), abc);
    assert.equal(sha256(Uint8Array.of(97, 98, 99)), abc);
  });

  it('hashes weights as little-endian float32, from shared memory and views too', () => {
    const weights = new Float32Array(new SharedArrayBuffer(4096), 64, 500).map((_, i) => (i - 250) / 7);
    assert.equal(weightsDigest(weights), slowDigest(weights));
    assert.equal(weightsDigest(weights.subarray(3, 90)), slowDigest(weights.slice(3, 90)));
    assert.equal(weightsDigest(new Float32Array(0)), sha256(''));
  });

  it('writes every NaN alike and keeps the sign of zero', () => {
    const words = new Uint32Array(40_000).fill(0x3f800000);
    const weights = new Float32Array(words.buffer);
    words.set([0x7fc00000], 39_000); //                            beyond the first block
    const positive = weightsDigest(weights);
    words.set([0xffc12345], 39_000);
    assert.equal(weightsDigest(weights), positive);
    assert.equal(slowDigest(weights), positive);
    assert.notEqual(weightsDigest(Float32Array.of(0)), weightsDigest(Float32Array.of(-0)));
  });
});
