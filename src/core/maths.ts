/**
 * exp, log, pow, cos and tanh with the same bits on every machine.
 *
 * `Math.exp` and its like are "implementation-approximated": measured, `Math.pow` and `**` differ between Node 20, 22 and
 * 24, and `exp`, `log`, `cos`, `tanh` between x64 and arm64. What reaches a weight therefore uses these, which are made of
 * + - * / alone (float64, rounded to nearest, which IEEE 754 fixes to the bit) and of exact operations on bits.
 *
 * The algorithms and the coefficients of the polynomials are those of fdlibm (Sun Microsystems 1993, "Freely
 * Distributable LIBM": e_exp.c, e_log.c, k_cos.c, k_sin.c, e_rem_pio2.c, s_expm1.c, s_tanh.c), except for `pow`, which
 * takes its logarithm in double-double arithmetic (Dekker 1971) and is checked like the others.
 */

/** One float64 whose bits are read and written; DataView's order of bytes is the same everywhere. */
const scratch = new DataView(new ArrayBuffer(8));
const exponentBias = 1023;

/** ln 2 in three parts. The first has 21 trailing zero bits, so that its product with an exponent is exact. */
const ln2High = 6.9314718036912381649e-1;
const ln2Low = 1.90821492927058770002e-10;
const ln2Rest = 1.1612227229362532e-26;
const invLn2 = 1.442695040888963387;

/** Above it, e^x is not finite; below the other, it rounds to 0. */
const expOverflow = 709.782712893383973096;
const expUnderflow = -745.13321910194110842;

/** 2^n exactly, for -1022 <= n <= 1023. */
function powerOfTwo(n: number): number {
  scratch.setInt32(0, (n + exponentBias) << 20);
  scratch.setInt32(4, 0);
  return scratch.getFloat64(0);
}

/** y * 2^n, rounded once, for y near 1 and any n at which the result is not far out of range. */
function scale(y: number, n: number): number {
  if (n > 1023) return y * 2 * powerOfTwo(n - 1);
  if (n < -1022) return y * powerOfTwo(n + 1000) * powerOfTwo(-1000);
  return y * powerOfTwo(n);
}

/** e^x. Error below 1 ulp. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** e^(x + low), where |low| is at most about an ulp of x. */
function expOfSum(x: number, low: number): number {
  if (x !== x) return NaN;
  if (x > expOverflow) return Infinity;
  if (x < expUnderflow) return 0;
  const n = Math.round(x * invLn2);
  const high = x - n * ln2High; //                                exact
  const rest = n * ln2Low - low;
  const r = high - rest; //                                       |r| <= 0.35
  const t = r * r;
  const c =
    r -
    t *
      (1.66666666666666019037e-1 +
        t *
          (-2.77777777770155933842e-3 +
            t * (6.61375632143793436117e-5 + t * (-1.6533902205465251539e-6 + t * 4.13813679705723846039e-8))));
  return scale(1 - (rest - (r * c) / (2 - c) - high), n);
}

/** Splits a positive finite x into m * 2^n with sqrt(1/2) <= m < sqrt(2) (to within rounding of the bounds). */
function splitExponent(x: number): { m: number; n: number } {
  let n = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; //                                    2^54: a subnormal has no exponent of its own
    n = -54;
  }
  scratch.setFloat64(0, x);
  const highWord = scratch.getInt32(0);
  n += (highWord >> 20) - exponentBias;
  scratch.setInt32(0, (highWord & 0xfffff) | (exponentBias << 20));
  const m = scratch.getFloat64(0);
  return m >= 1.4142135623730951 ? { m: m / 2, n: n + 1 } : { m, n };
}

/** The natural logarithm. Error below 1 ulp. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const { m, n } = splitExponent(x);
  const f = m - 1; //                                             exact
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd =
    z *
    (6.66666666666673513e-1 +
      w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  const halfSquare = 0.5 * f * f;
  return n * ln2High - (halfSquare - (s * (halfSquare + even + odd) + n * ln2Low) - f);
}

/** The rounding error of the product p = a * b, so that a * b = p + error exactly (Dekker; no fused multiply-add). */
function productError(a: number, b: number, p: number): number {
  const aShifted = a * 134217729; //                              2^27 + 1: Veltkamp's split into two halves
  const aHigh = aShifted - (aShifted - a);
  const aLow = a - aHigh;
  const bShifted = b * 134217729;
  const bHigh = bShifted - (bShifted - b);
  const bLow = b - bHigh;
  return aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The rounding error of the sum s = a + b (Knuth; any order of magnitudes). */
function sumError(a: number, b: number, s: number): number {
  const bPart = s - a;
  return a - (s - bPart) + (b - bPart);
}

/** ln x as an unevaluated sum of two float64, error about 2^-64 relative, for positive finite x. */
function logParts(x: number): { high: number; low: number } {
  const { m, n } = splitExponent(x);
  const f = m - 1;
  const d = 2 + f;
  const dLow = sumError(2, f, d);
  const s = f / d; //                                             s + sLow = f / (2 + f), |s| <= 0.172
  const product = s * d;
  const sLow = (f - product - productError(s, d, product) - s * dLow) / d;
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  // ln m = 2 artanh s = 2 s (1 + z p), with p = 1/3 + z/5 + z^2/7 + ...; z <= 0.0295, so 12 terms leave 2^-66 of 1 behind
  let q = 0;
  for (let k = 27; k >= 5; k -= 2) q = 1 / k + z * q;
  const p = 1 / 3 + z * q;
  const pLow = sumError(1 / 3, z * q, p) + 1.850371707708594e-17; // 1/3 itself is rounded
  const zp = z * p;
  const zpLow = productError(z, p, zp) + z * pLow + zLow * p;
  const t = s * zp;
  const tLow = productError(s, zp, t) + s * zpLow + sLow * zp;
  const sum = s + t;
  const sumLow = sumError(s, t, sum) + sLow + tLow;
  const a = n * ln2High; //                                       exact
  const high = a + 2 * sum;
  const b = n * ln2Low;
  const low = sumError(a, 2 * sum, high) + 2 * sumLow + b; //     what b loses here is below 2^-75 of a
  const total = high + low;
  return { high: total, low: sumError(high, low, total) + n * ln2Rest };
}

/** x^y, with the special cases of `Math.pow`. Error below 1 ulp. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (x !== x || y !== y) return NaN;
  const magnitude = Math.abs(x);
  if (y === Infinity || y === -Infinity) {
    if (magnitude === 1) return NaN; //                           ECMAScript, unlike C
    return magnitude > 1 === y > 0 ? Infinity : 0;
  }
  const isInteger = Math.floor(y) === y;
  const isOdd = isInteger && y % 2 !== 0;
  const isNegative = x < 0 || Object.is(x, -0);
  const sign = isNegative && isOdd ? -1 : 1;
  if (magnitude === 0 || magnitude === Infinity) return sign * ((magnitude === 0) === y > 0 ? 0 : Infinity);
  if (isNegative && !isInteger) return NaN;
  if (magnitude === 1) return sign;
  const { high, low } = logParts(magnitude);
  const product = y * high;
  if (product > 1000 || product < -1000) return sign * (product > 0 ? Infinity : 0);
  return sign * expOfSum(product, productError(y, high, product) + y * low);
}

/** pi/2 in four parts; the first three have 20 trailing zero bits or more, so that their products with n are exact. */
const halfPi1 = 1.57079632673412561417;
const halfPi2 = 6.0771005063039659766e-11;
const halfPi3 = 2.0222662487111664558e-21;
const halfPi4 = 8.47842766036889956997e-32;
const cosLimit = 1_000_000;

/**
 * The cosine of `x` radians. Error below 1 ulp.
 *
 * @throws RangeError beyond |x| = 1e6, where the reduction would need more of pi than it has; nothing here comes near
 */
export function cos(x: number): number {
  if (x - x !== 0) return NaN;
  if (x > cosLimit || x < -cosLimit) throw new RangeError(`cos: |x| is at most ${cosLimit}, got ${x}`);
  const n = Math.round(x * 6.36619772367581382433e-1);
  const first = x - n * halfPi1; //                               exact: both are multiples of the same bit
  const second = first - n * halfPi2;
  const secondError = first - second - n * halfPi2;
  const third = second - n * halfPi3;
  const rest = n * halfPi4 - (second - third - n * halfPi3) - secondError;
  const r = third - rest;
  const low = third - r - rest; //                                r + low = x - n pi/2
  switch (n & 3) {
    case 0:
      return cosNearZero(r, low);
    case 1:
      return -sinNearZero(r, low);
    case 2:
      return -cosNearZero(r, low);
    default:
      return sinNearZero(r, low);
  }
}

/** cos(x + low) for |x| <= pi/4. */
function cosNearZero(x: number, low: number): number {
  const z = x * x;
  const half = 0.5 * z;
  const w = 1 - half;
  const tail =
    z *
    (4.16666666666666019037e-2 +
      z *
        (-1.38888888888741095749e-3 +
          z *
            (2.48015872894767294178e-5 +
              z * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 + z * -1.13596475577881948265e-11)))));
  return w + (1 - w - half + (z * tail - x * low));
}

/** sin(x + low) for |x| <= pi/4. */
function sinNearZero(x: number, low: number): number {
  const z = x * x;
  const cube = z * x;
  const tail =
    8.33333333332248946124e-3 +
    z *
      (-1.98412698298579493134e-4 +
        z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)));
  return x - (z * (0.5 * low - cube * tail) - low - cube * -1.66666666666666324348e-1);
}

/** The hyperbolic tangent. Error below 2.5 ulp (fdlibm's too). */
export function tanh(x: number): number {
  if (x !== x) return NaN;
  const magnitude = Math.abs(x);
  if (magnitude > 22) return x > 0 ? 1 : -1; //                   1 - 2 e^-44 rounds to 1
  if (magnitude < 2.7755575615628914e-17) return x; //            2^-55; keeps -0
  let t: number;
  if (magnitude >= 1) {
    t = 1 - 2 / (expMinusOne(2 * magnitude) + 2);
  } else {
    const e = expMinusOne(-2 * magnitude);
    t = -e / (e + 2);
  }
  return x < 0 ? -t : t;
}

/** e^x - 1 without cancellation near 0, for |x| <= 44. Error below 1 ulp. */
function expMinusOne(x: number): number {
  const n = Math.abs(x) > 0.34657359027997264 ? Math.round(x * invLn2) : 0;
  const high = x - n * ln2High;
  const low = n * ln2Low;
  const r = high - low;
  const c = high - r - low; //                                    r + c = x - n ln 2
  const half = 0.5 * r;
  const s = r * half;
  const p =
    1 +
    s *
      (-3.33333333333331316428e-2 +
        s *
          (1.58730158725481460165e-3 +
            s * (-7.93650757867487942473e-5 + s * (4.00821782732936239552e-6 + s * -2.01099218183624371326e-7))));
  const t = 3 - p * half;
  let e = s * ((p - t) / (6 - r * t));
  if (n === 0) return r - (r * e - s);
  e = r * (e - c) - c - s;
  if (n === -1) return 0.5 * (r - e) - 0.5;
  if (n === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e);
  if (n <= -2 || n > 56) return scale(1 - (e - r), n) - 1;
  const inverse = powerOfTwo(-n);
  const y = n < 20 ? 1 - inverse - (e - r) : r - (e + inverse) + 1;
  return scale(y, n);
}
