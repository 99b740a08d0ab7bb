// exp, tanh, sigmoid, log, erf and their like made of + - * / and bit operations alone, so that their bits are the same everywhere.
//
// exp(x) = 2^n * exp(r) with n = round(x / ln 2) and |r| <= ln(2)/2; exp(r) by its Taylor series, cut where the next term is
// below the rounding error. ln 2 is taken away in two parts, the first with trailing zeros so that n times it is exact
// (Cody and Waite, Software Manual for the Elementary Functions, 1980).
#ifndef LOCKSTEP_MATHS_H
#define LOCKSTEP_MATHS_H
#include "lanes.h"

// Adding 1.5 * 2^23 rounds to an integer, and leaves that integer in the low bits.
#define ROUNDER_FLOAT 12582912.0f
#define ROUNDER_DOUBLE 6755399441055744.0

// exp(x) - 1 for 0 <= x <= 64 or NaN; about 2 units in the last place. Terms to r^8/8!: the next is below 3e-10.
INLINE lanes exp_minus_1_lanes(lanes x) {
  lanes t = x * splat(1.44269504f) + splat(ROUNDER_FLOAT);
  lanes n = t - splat(ROUNDER_FLOAT);
  lanes r = (x - n * splat(0.693359375f)) + n * splat(2.12194440e-4f);
  lanes p = splat(1.0f / 40320);
  p = p * r + splat(1.0f / 5040);
  p = p * r + splat(1.0f / 720);
  p = p * r + splat(1.0f / 120);
  p = p * r + splat(1.0f / 24);
  p = p * r + splat(1.0f / 6);
  p = p * r + splat(0.5f);
  p = (p * r) * r + r;
  lanes power = (lanes)(((int_lanes)t - splat_int(0x4B400000) + splat_int(127)) << 23);
  return power * p + (power - splat(1.0f));
}

// tanh(x) = e / (e + 2) with e = exp(2|x|) - 1, and the sign of x; 1 from 2|x| = 20 on. A NaN stays one.
INLINE lanes tanh_lanes(lanes x) {
  int_lanes sign = (int_lanes)x & splat_int((int32_t)0x80000000u);
  lanes y = (lanes)((int_lanes)x ^ sign) * splat(2.0f);
  y = choose(y > splat(20.0f), splat(20.0f), y);
  lanes e = exp_minus_1_lanes(y);
  return (lanes)((int_lanes)(e / (e + splat(2.0f))) | sign);
}

// 1 / (1 + exp(-x)), as e / (1 + e) or 1 / (1 + e) with e = exp(|x|), so that small results keep their digits.
INLINE lanes sigmoid_lanes(lanes x) {
  lanes y = (lanes)((int_lanes)x & splat_int(0x7FFFFFFF));
  y = choose(y > splat(64.0f), splat(64.0f), y);
  lanes e = exp_minus_1_lanes(y) + splat(1.0f);
  return choose(x < splat(0.0f), splat(1.0f), e) / (splat(1.0f) + e);
}

// exp(x), infinitely large and small ones cut at exp(+-64). A NaN stays one.
INLINE lanes exp_lanes(lanes x) {
  lanes y = (lanes)((int_lanes)x & splat_int(0x7FFFFFFF));
  y = choose(y > splat(64.0f), splat(64.0f), y);
  lanes e = exp_minus_1_lanes(y) + splat(1.0f);
  return choose(x < splat(0.0f), splat(1.0f) / e, e);
}

// exp(x) - 1 for x <= 0, as -e / (e + 1) with e = exp(-x) - 1, so that small results keep their digits. A NaN stays one.
INLINE lanes exp_minus_1_of_negative_lanes(lanes x) {
  lanes y = (lanes)((int_lanes)x & splat_int(0x7FFFFFFF));
  y = choose(y > splat(64.0f), splat(64.0f), y);
  lanes e = exp_minus_1_lanes(y);
  return -(e / (e + splat(1.0f)));
}

// log(1 + exp(x)) = max(x, 0) + log(1 + t) with t = exp(-|x|), and log(1 + t) = 2 atanh(f) with f = t / (2 + t) <= 1/3; terms
// to f^17: the next is below 3e-10.
INLINE lanes softplus_lanes(lanes x) {
  lanes t = exp_lanes((lanes)((int_lanes)x | splat_int((int32_t)0x80000000u)));
  lanes f = t / (t + splat(2.0f)), s = f * f;
  lanes p = splat(1.0f / 17);
  p = p * s + splat(1.0f / 15);
  p = p * s + splat(1.0f / 13);
  p = p * s + splat(1.0f / 11);
  p = p * s + splat(1.0f / 9);
  p = p * s + splat(1.0f / 7);
  p = p * s + splat(1.0f / 5);
  p = p * s + splat(1.0f / 3);
  lanes log_1 = splat(2.0f) * (f + f * (s * p));
  return choose(x <= splat(0.0f), splat(0.0f), x) + log_1;
}

// erf(x) to 1.5e-7 (Abramowitz & Stegun 1964, 7.1.26, which TensorFlow.js takes too). A NaN stays one.
INLINE lanes erf_lanes(lanes x) {
  int_lanes sign = (int_lanes)x & splat_int((int32_t)0x80000000u);
  lanes y = (lanes)((int_lanes)x ^ sign);
  lanes t = splat(1.0f) / (splat(1.0f) + splat(0.3275911f) * y);
  lanes p = splat(1.061405429f);
  p = p * t - splat(1.453152027f);
  p = p * t + splat(1.421413741f);
  p = p * t - splat(0.284496736f);
  p = p * t + splat(0.254829592f);
  lanes value = splat(1.0f) - (p * t) * exp_lanes(-(y * y));
  return (lanes)((int_lanes)value | sign);
}

typedef union { double value; uint64_t bits; } double_bits;

// exp(x) for x <= 0 or NaN, float64; 0 below -708. Terms to r^13/13!: the next is below 5e-18.
INLINE double exp_double(double x) {
  if (x < -708.0) return 0.0;
  double_bits t = {x * 1.4426950408889634 + ROUNDER_DOUBLE};
  double n = t.value - ROUNDER_DOUBLE;
  double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = (p * r) * r + r;
  double_bits power = {.bits = (t.bits + 1023) << 52};
  return power.value * p + power.value;
}

// log(x) for 1 <= x < infinity, or NaN, float64. x = 2^n * m with m in [sqrt(1/2), sqrt(2)), log(m) = 2 atanh(f) with
// f = (m - 1)/(m + 1), |f| < 0.172; terms to f^21: the next is below 1e-18.
INLINE double log_double(double x) {
  if (x != x) return x;
  double_bits m = {x};
  int n = (int)(m.bits >> 52) - 1023;
  m.bits = (m.bits & 0x000FFFFFFFFFFFFFull) | 0x3FF0000000000000ull;
  if (m.value > 1.4142135623730951) {
    m.value = m.value * 0.5;
    n = n + 1;
  }
  double f = (m.value - 1.0) / (m.value + 1.0), s = f * f;
  double p = 1.0 / 21.0;
  for (int k = 19; k >= 3; k -= 2) p = p * s + 1.0 / k;
  return n * 0.693147180559945309417 + 2.0 * (f + (f * s) * p);
}
#endif
