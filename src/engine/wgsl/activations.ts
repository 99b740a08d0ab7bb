/**
 * Activations that no kernel takes along, in WGSL: value and slope of each, from its input, as kernels/activation.c has them.
 *
 * What a NaN goes into is arithmetic, never a comparison that a compiler may turn round: it stays a NaN.
 */
import type { ActivationName, FusedActivation } from '../layers/operation.js';
import { activateCode, expCode, logCode, tanhCode } from './maths.js';

type More = Exclude<ActivationName, FusedActivation>;

const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;
const geluFactor = 0.7978845608028654;

const sigmoidCode = activateCode('sigmoid').replace(expCode, '').replace('fn activate', 'fn sigmoid_of');

const functions = `
${expCode}${logCode}${tanhCode}${sigmoidCode}
// e^x - 1 for what is negative of x.
fn exp_minus_1(x: f32) -> f32 {
  let y = below(x);
  let series = y * (1.0 + y * (0.5 + y * (0.16666667 + y * (0.041666667 + y * (0.0083333333 + y * 0.0013888889)))));
  return select(exp_of(y) - 1.0, series, y > -0.3);
}
fn below(x: f32) -> f32 { return select(x, 0.0, bitcast<u32>(x) <= 0x7f800000u); }
fn above(x: f32) -> f32 { return select(x, 0.0, bitcast<u32>(x) - 0x80000000u <= 0x7f800000u); }
// tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2).
fn tanh_of_softplus(x: f32) -> f32 {
  let e = exp_of(x - above(x - 20.0));
  let n = e * (e + 2.0);
  return n / (n + 2.0);
}
// erf to 1.5e-7: Abramowitz & Stegun 1964, 7.1.26.
fn normal_share(v: f32) -> f32 {
  let x = v * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * abs(x));
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  let erf = 1.0 - p * exp_of(-(x * x));
  return 0.5 * (1.0 + select(erf, -erf, x < 0.0));
}
fn gelu_tanh(x: f32) -> f32 { return tanh_of(${geluFactor} * (x + 0.044715 * (x * x * x))); }
`;

/** Value and slope as WGSL of `x`. @param p - the activation's parameter */
const codes: Readonly<Record<More, (p: string) => readonly [value: string, slope: string]>> = {
  elu: (p) => [`above(x) + ${p} * exp_minus_1(x)`, `select(1.0, ${p} * exp_of(x), x <= 0.0)`],
  selu: () => [
    `${seluScale} * (above(x) + ${seluAlpha} * exp_minus_1(x))`,
    `select(${seluScale}, ${seluScale * seluAlpha} * exp_of(x), x <= 0.0)`,
  ],
  softplus: () => [`above(x) + log_of(1.0 + exp_of(-abs(x)))`, 'sigmoid_of(x)'],
  softsign: () => ['x / (1.0 + abs(x))', '1.0 / ((1.0 + abs(x)) * (1.0 + abs(x)))'],
  hardSigmoid: () => ['above(1.0 - above(0.5 - 0.2 * x))', 'select(0.2, 0.0, abs(x) > 2.5)'],
  clippedRelu: (p) => [`above(x - above(x - ${p}))`, `select(1.0, 0.0, x <= 0.0 || x > ${p})`],
  leakyRelu: (p) => [`above(x) + ${p} * below(x)`, `select(1.0, ${p}, x <= 0.0)`],
  thresholdedRelu: (p) => [
    `select(x, 0.0, x <= ${p} && (bitcast<u32>(x) & 0x7fffffffu) <= 0x7f800000u)`,
    `select(1.0, 0.0, x <= ${p})`,
  ],
  swish: () => ['x * sigmoid_of(x)', 'sigmoid_of(x) * (1.0 + x * (1.0 - sigmoid_of(x)))'],
  mish: () => [
    'x * tanh_of_softplus(x)',
    'tanh_of_softplus(x) + x * (1.0 - tanh_of_softplus(x) * tanh_of_softplus(x)) * sigmoid_of(x)',
  ],
  gelu: () => ['x * normal_share(x)', 'normal_share(x) + x * (0.3989422804014327 * exp_of(-0.5 * (x * x)))'],
  geluNew: () => [
    '0.5 * x * (1.0 + gelu_tanh(x))',
    `0.5 * ((1.0 + gelu_tanh(x)) + x * (1.0 - gelu_tanh(x) * gelu_tanh(x)) * (${geluFactor} * (1.0 + 0.134145 * (x * x))))`,
  ],
};

/** `fn value_of(x: f32) -> f32` and `fn slope_of(x: f32) -> f32` */
export function activationCode(activation: More, parameter: number): string {
  const [value, slope] = codes[activation](`f32(${parameter})`);
  return `${functions}
fn value_of(x: f32) -> f32 { return ${value}; }
fn slope_of(x: f32) -> f32 { return ${slope}; }`;
}
