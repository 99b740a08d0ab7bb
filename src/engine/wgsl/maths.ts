/**
 * Functions that the kernels have in common, in WGSL. A driver's own exp and log may be off by several units in the last place;
 * these are made of additions and multiplications, and off by about one.
 */
import type { FusedActivation } from '../layers/operation.js';

/** NaN is told by its bits: a compiler may take for granted that numbers equal themselves. */
export const nanCode = `
fn is_nan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
`;

export const expCode = `
// e^v = 2^n e^r with |r| <= log(2) / 2, and log(2) in two parts so that r is exact.
fn exp_of(v: f32) -> f32 {
  let x = clamp(v, -87.0, 88.5);
  let n = floor(x * 1.44269504088896341 + 0.5);
  let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
  var p = 1.9875691500e-4;
  p = fma(p, r, 1.3981999507e-3);
  p = fma(p, r, 8.3334519073e-3);
  p = fma(p, r, 4.1665795894e-2);
  p = fma(p, r, 1.6666665459e-1);
  p = fma(p, r, 5.0000001201e-1);
  let e = fma(p, r * r, r) + 1.0;
  let half = i32(n) / 2;
  let scale = bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(i32(n) - half + 127) << 23u);
  if ((bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u) { return v; }
  return select(e * scale, 0.0, v < -87.0);
}
`;

export const logCode = `
// log(m 2^n) = log(m) + n log(2) with m in [sqrt(1/2), sqrt(2)).
fn log_of(v: f32) -> f32 {
  let bits = bitcast<u32>(v);
  if (bits >= 0x7f800000u) { return v; }
  var n = i32(bits >> 23u) - 126;
  var m = bitcast<f32>((bits & 0x007fffffu) | 0x3f000000u);
  if (m < 0.707106781186547524) { n -= 1; m = m + m; }
  let x = m - 1.0;
  let z = x * x;
  var p = 7.0376836292e-2;
  p = fma(p, x, -1.1514610310e-1);
  p = fma(p, x, 1.1676998740e-1);
  p = fma(p, x, -1.2420140846e-1);
  p = fma(p, x, 1.4249322787e-1);
  p = fma(p, x, -1.6668057665e-1);
  p = fma(p, x, 2.0000714765e-1);
  p = fma(p, x, -2.4999993993e-1);
  p = fma(p, x, 3.3333331174e-1);
  let e = f32(n);
  var y = p * x * z;
  y = fma(e, -2.12194440e-4, y);
  y = fma(-0.5, z, y);
  return fma(e, 0.693359375, x + y);
}
`;

export const tanhCode = `
fn tanh_of(v: f32) -> f32 {
  let a = abs(v);
  if (a < 0.625) {
    let z = v * v;
    var p = -5.70498872745e-3;
    p = fma(p, z, 2.06390887954e-2);
    p = fma(p, z, -5.37397155531e-2);
    p = fma(p, z, 1.33314422036e-1);
    p = fma(p, z, -3.33332819422e-1);
    return fma(p * z, v, v);
  }
  let e = exp_of(2.0 * min(a, 20.0));
  let t = 1.0 - 2.0 / (e + 1.0);
  if ((bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u) { return v; }
  return select(t, -t, v < 0.0);
}
`;

/** `fn activate(v: f32) -> f32` */
export function activateCode(activation: FusedActivation): string {
  switch (activation) {
    case 'linear':
      return 'fn activate(v: f32) -> f32 { return v; }';
    case 'relu': //                                             by the bits: a NaN stays one, of either sign
      return `
fn activate(v: f32) -> f32 {
  return select(v, 0.0, bitcast<u32>(v) - 0x80000000u <= 0x7f800000u);
}`;
    case 'tanh':
      return `${expCode}${tanhCode}\nfn activate(v: f32) -> f32 { return tanh_of(v); }`;
    case 'sigmoid':
      return `${expCode}
fn activate(v: f32) -> f32 {
  let e = exp_of(-abs(v));
  if ((bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u) { return v; }
  return select(e, 1.0, v >= 0.0) / (1.0 + e);
}`;
  }
}

/**
 * The derivative of an activation as a factor of the gradient `g`.
 *
 * @param y - the activation's value @param zero - of the type of both
 */
export function derivative(activation: FusedActivation, g: string, y: string, zero = '0.0'): string {
  switch (activation) {
    case 'linear':
      return g;
    case 'relu':
      return `select(${g}, ${zero}, ${y} <= ${zero})`;
    case 'tanh':
      return `(${g} * (1.0 - ${y} * ${y}))`;
    case 'sigmoid':
      return `(${g} * (${y} * (1.0 - ${y})))`;
  }
}
