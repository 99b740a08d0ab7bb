import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { cos, exp, log, pow, tanh } from '../../../src/core/maths.js';
import { randomStream } from '../../../src/core/random.js';

/** How many float64 lie between two finite ones. */
function ulpsBetween(a: number, b: number): number {
  const order = (x: number) => {
    const bits = new BigInt64Array(Float64Array.of(x).buffer)[0]!;
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits;
  };
  return Number(order(a) > order(b) ? order(a) - order(b) : order(b) - order(a));
}

/** Ours against the platform's over `count` arguments. Math.* is itself only good to about an ulp, hence the tolerance. */
function agrees(ours: (x: number) => number, theirs: (x: number) => number, low: number, high: number, ulps: number) {
  const random = randomStream(1, 'maths.test', theirs.name, `${low}..${high}`);
  for (let i = 0; i < 5000; i++) {
    const x = low + (high - low) * random.uniform();
    const distance = ulpsBetween(ours(x), theirs(x));
    assert.ok(distance <= ulps, `${theirs.name}(${x}): ours ${ours(x)}, theirs ${theirs(x)}, ${distance} ulps apart`);
  }
}

describe('maths', () => {
  it('exp agrees with Math.exp', () => {
    agrees(exp, Math.exp, -1, 1, 2);
    agrees(exp, Math.exp, -700, 709, 2);
    agrees(exp, Math.exp, -745, -708, 2); //                      subnormal results
  });

  it('log agrees with Math.log', () => {
    agrees(log, Math.log, 1, 2, 2);
    agrees(log, Math.log, 0, 1, 2);
    agrees(log, Math.log, 1, 1e6, 2);
    assert.ok(ulpsBetween(log(5e-324), Math.log(5e-324)) <= 1, 'smallest subnormal');
  });

  it('cos agrees with Math.cos, next to its zeros too', () => {
    agrees(cos, Math.cos, -4, 4, 2);
    agrees(cos, Math.cos, -1_000_000, 1_000_000, 2);
    for (const quarterTurns of [1, 3, 101, 344_525, 573_203]) {
      const x = quarterTurns * (Math.PI / 2);
      assert.ok(ulpsBetween(cos(x), Math.cos(x)) <= 2, `cos(${x})`);
    }
  });

  it('tanh agrees with Math.tanh', () => {
    agrees(tanh, Math.tanh, -1, 1, 4);
    agrees(tanh, Math.tanh, -23, 23, 4);
    agrees(tanh, Math.tanh, -1e-5, 1e-5, 4);
  });

  it('pow agrees with Math.pow where that is good', () => {
    for (const y of [0.5, -0.5, 2, 3, 1 / 3, -1.75, 10]) {
      agrees(
        (x) => pow(x, y),
        (x) => Math.pow(x, y),
        0.01,
        100,
        3,
      );
    }
    for (const base of [0.9, 0.999, 1.5, 10])
      agrees(
        (y) => pow(base, y),
        (y) => Math.pow(base, y),
        -30,
        30,
        3,
      );
  });

  it('is exact where the result is', () => {
    for (let n = -1074; n <= 1023; n++) assert.equal(pow(2, n), 2 ** n, `2^${n}`);
    assert.equal(exp(0), 1);
    assert.equal(log(1), 0);
    assert.equal(cos(0), 1);
  });

  it('reproduces values that were computed with 300 bits', () => {
    const close = (actual: number, expected: number, what: string) =>
      assert.ok(ulpsBetween(actual, expected) <= 1, `${what}: ${actual}, expected ${expected}`);
    close(exp(1), 2.718281828459045, 'e');
    close(exp(-745), 5e-324, 'e^-745');
    close(log(10), 2.302585092994046, 'ln 10');
    close(pow(10, 0.5), 3.1622776601683795, 'sqrt 10');
    close(pow(1.000001, 1e8), 2.6879827172956264e43, 'a large exponent of a base near 1');
    close(cos(Math.PI / 2), 6.123233995736766e-17, 'cos pi/2');
    close(cos(999_999), 0.21161995758460128, 'cos 999999');
    close(tanh(0.5), 0.46211715726000974, 'tanh 1/2');
  });

  it('has the special cases of Math.*', () => {
    const specials = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 1e308, -1e308, 5e-324, -5e-324];
    for (const x of specials) {
      for (const [ours, theirs] of [
        [exp, Math.exp],
        [log, Math.log],
        [tanh, Math.tanh],
      ] as const) {
        const [a, b] = [ours(x), theirs(x)];
        if (Number.isFinite(b) && b !== 0) assert.ok(ulpsBetween(a, b) <= 1, `${theirs.name}(${x})`);
        else assert.ok(Object.is(a, b), `${theirs.name}(${x}): ${a}, not ${b}`);
      }
      for (const y of specials) {
        const [a, b] = [pow(x, y), Math.pow(x, y)];
        if (Number.isFinite(b) && b !== 0) assert.ok(ulpsBetween(a, b) <= 2, `pow(${x}, ${y}): ${a}, not ${b}`);
        else assert.ok(Object.is(a, b), `pow(${x}, ${y}): ${a}, not ${b}`);
      }
    }
    assert.ok([NaN, Infinity, -Infinity].every((x) => Number.isNaN(cos(x))));
    assert.throws(() => cos(1e7), RangeError);
  });

  it('has the same bits as everywhere else', () => {
    const hash = createHash('sha256');
    const random = randomStream(2, 'maths.test', 'digest');
    for (let i = 0; i < 4000; i++) {
      const u = random.uniform();
      const v = random.uniform();
      const x = u * 40 - 20;
      const values = [
        exp(x * 35),
        exp(x / 20),
        log(u),
        log(1 + u),
        cos(x),
        cos(x * 5e4),
        tanh(x / 8),
        pow(u * 9, x),
        pow(1 + u / 1e6, v * 1e8),
      ];
      const view = new DataView(new ArrayBuffer(values.length * 8));
      values.forEach((value, k) => view.setFloat64(k * 8, value, true));
      hash.update(new Uint8Array(view.buffer));
    }
    assert.equal(hash.digest('hex'), 'ea6eca7639771d3ed9a6bd52d5151d0cf7aedf5aaac9c106fb56234bbe4b6de0');
  });
});
