import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { packageRoot } from '../../../src/core/paths.js';
import { randomStream } from '../../../src/core/random.js';
import { createOptimizer, optimizerNames, optimizerOptions } from '../../../src/optim/registry.js';
import { copyOf, emptyState, initialState, Trainer } from './optimizer-harness.js';

interface Golden {
  readonly x0: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly rules: Record<
    string,
    {
      readonly settings: { readonly optimizer: string; readonly lr: number } & Record<
        string,
        number | boolean | string
      >;
      readonly trajectory: readonly (readonly number[])[];
    }
  >;
}

const golden = JSON.parse(readFileSync(join(packageRoot, 'test/fixtures/golden/optimizers.json'), 'utf8')) as Golden;

/** Every rule with its defaults, and with all that its options can switch on. */
const variants: readonly [string, Record<string, number | boolean>][] = [
  ...optimizerNames.map((name): [string, Record<string, number | boolean>] => [name, {}]),
  ['adam', { amsgrad: true, weightDecay: 0.1 }],
  ['rmsprop', { centered: true, momentum: 0.9, weightDecay: 0.1 }],
  ['rmsprop', { centered: true }],
  ['rmsprop', { momentum: 0.5 }],
];

function randomVector(length: number, name: string): Float32Array {
  const random = randomStream(11, name);
  return new Float32Array(length).map(() => 2 * random.uniform() - 1);
}

describe('update rules', () => {
  for (const [name, { settings, trajectory }] of Object.entries(golden.rules)) {
    const { optimizer, lr, ...options } = settings;
    const sampleCount = 4; //                                     a sum over four samples and a divisor of four
    const factors = { learningRate: lr, sampleCount, clipFactor: 1 };
    const sums = golden.gradients.map((gradient) => gradient.map((g) => g * sampleCount));
    const make = () => createOptimizer(optimizer, options as Record<string, number | boolean>);

    it(`follow PyTorch in float32: ${name}`, () => {
      const trainer = new Trainer(make(), Float32Array.from(golden.x0), factors);
      // A weight that was 1 was rounded to 6e-8: when it crosses zero later, that is still there. So relative means: to
      // the largest that the weight has been.
      const largest = golden.x0.map(Math.abs);
      trajectory.forEach((expected, t) => {
        const { weights } = trainer.step(Float32Array.from(sums[t]!));
        expected.forEach((weight, i) => {
          largest[i] = Math.max(largest[i]!, Math.abs(weight));
          const error = Math.abs(weights[i]! - weight) / largest[i];
          assert.ok(error <= 1e-6, `step ${t}, weight ${i}: ${weights[i]}, expected ${weight} (${error})`);
        });
      });
    });

    it(`follow PyTorch in float64, to all digits that are given: ${name}`, () => {
      const float64 = (values: Iterable<number>) => Float64Array.from(values) as unknown as Float32Array; // typed arrays are alike to a rule
      const trainer = new Trainer(make(), float64(golden.x0), factors);
      trajectory.forEach((expected, t) => {
        const { weights } = trainer.step(float64(sums[t]!));
        expected.forEach((weight, i) => {
          assert.ok(
            Math.abs(weights[i]! - weight) <= 1e-11,
            `step ${t}, weight ${i}: ${weights[i]}, expected ${weight}`,
          );
        });
      });
    });
  }

  it('know all of the golden settings', () => {
    assert.equal(Object.keys(golden.rules).length, 14);
  });

  for (const [name, options] of variants) {
    const title = `${name} ${JSON.stringify(options)}`;
    const factors = { learningRate: 0.02, sampleCount: 7, clipFactor: 0.5 };
    const start = randomVector(101, 'weights');
    const gradients = Array.from({ length: 6 }, (_, t) => randomVector(101, `gradient ${t}`));

    it(`gives the same bits slice by slice: ${title}`, () => {
      const whole = new Trainer(createOptimizer(name, options), start, factors);
      const sliced = new Trainer(createOptimizer(name, options), start, factors, [0, 1, 48, 48, 100]);
      for (const gradient of gradients) assert.deepEqual(sliced.step(gradient), whole.step(gradient));
    });

    it(`leaves what it reads alone and writes its slice only: ${title}`, () => {
      const rule = createOptimizer(name, options);
      const from = initialState(rule, start, factors.learningRate);
      const before = copyOf(from);
      const to = emptyState(rule, start);
      const scalars = rule.advance(rule.initialScalars);
      const gradient = gradients[0]!.slice();
      rule.update(from, to, gradient, scalars, factors, 20, 60);
      assert.deepEqual(from, before);
      assert.deepEqual(gradient, gradients[0]);
      for (const vector of [to.weights, ...to.slots]) {
        assert.ok(vector.every((value, i) => (i >= 20 && i < 60) || value === 0));
      }
      assert.ok(to.weights.subarray(20, 60).every((w, i) => w !== start[20 + i]));
    });

    it(`lets NaN through: ${title}`, () => {
      const trainer = new Trainer(createOptimizer(name, options), start, factors);
      const gradient = gradients[0]!.slice();
      gradient[3] = NaN;
      const { weights } = trainer.step(gradient);
      assert.ok(Number.isNaN(weights[3]));
      assert.ok(weights.every((w, i) => i === 3 || Number.isFinite(w)));
    });
  }

  it('scale the sum by clip factor over samples', () => {
    const step = (sum: number, sampleCount: number, clipFactor: number) =>
      new Trainer(createOptimizer('sgd'), Float32Array.of(1), { learningRate: 0.5, sampleCount, clipFactor }).step(
        Float32Array.of(sum),
      );
    assert.equal(step(8, 4, 0.25).weights[0], 0.75);
  });

  it('do not let rounding take the centered square below zero', () => {
    const rule = createOptimizer('rmsprop', { centered: true, rho: 0.5 });
    const trainer = new Trainer(rule, Float32Array.of(1), { learningRate: 1e-9, sampleCount: 1, clipFactor: 1 });
    for (let t = 0; t < 80; t++) assert.ok(Number.isFinite(trainer.step(Float32Array.of(0.1)).weights[0]!));
  });

  it('keep t and the powers of beta as plain data', () => {
    const rule = createOptimizer('adam', { beta1: 0.5, beta2: 0.75 });
    const twice = rule.advance(rule.advance(JSON.parse(JSON.stringify(rule.initialScalars)) as Record<string, number>));
    assert.deepEqual(twice, { beta1Power: 0.25, beta2Power: 0.5625 });
  });
});

describe('createOptimizer', () => {
  it('names the rules and options that exist', () => {
    assert.throws(() => createOptimizer('addam'), {
      code: 'UNKNOWN_OPTIMIZER',
      exitCode: 2,
      message: /unknown optimizer addam, did you mean adam\?/,
    });
    assert.throws(() => createOptimizer('toString'), {
      code: 'UNKNOWN_OPTIMIZER',
      message: /it is one of sgd, momentum, nesterov, adam, adamw/,
    });
    assert.throws(() => createOptimizer('sgd', { momentum: 0.9 }), {
      code: 'UNKNOWN_OPTIMIZER_OPTION',
      message: 'optimizer sgd has no option momentum: it takes weightDecay',
    });
    assert.throws(() => createOptimizer('adam', { beta: 0.9 }), {
      message: 'optimizer adam has no option beta, did you mean beta1?',
    });
    assert.throws(() => createOptimizer('adam', { constructor: 1 }), { code: 'UNKNOWN_OPTIMIZER_OPTION' });
  });

  it('checks ranges', () => {
    const refused: [string, Record<string, number | boolean>, string][] = [
      ['adam', { beta1: 1 }, 'beta1=1 of optimizer adam must be a number of at least 0 and below 1'],
      ['adam', { beta2: -0.1 }, 'beta2=-0.1 of optimizer adam must be a number of at least 0 and below 1'],
      ['adam', { epsilon: -1 }, 'epsilon=-1 of optimizer adam must be a number of at least 0'],
      ['adam', { epsilon: NaN }, 'epsilon=NaN of optimizer adam must be a number of at least 0'],
      ['adam', { amsgrad: 1 }, 'amsgrad=1 of optimizer adam must be true or false'],
      ['rmsprop', { rho: true }, 'rho=true of optimizer rmsprop must be a number of at least 0 and below 1'],
      ['rprop', { etaPlus: 1 }, 'etaPlus=1 of optimizer rprop must be a number above 1'],
      ['rprop', { stepMin: 60 }, 'stepMin=60 of optimizer rprop must be at most stepMax, which is 50'],
      ['sgd', { weightDecay: Infinity }, 'weightDecay=Infinity of optimizer sgd must be a number of at least 0'],
    ];
    for (const [name, options, message] of refused) {
      assert.throws(() => createOptimizer(name, options), { code: 'INVALID_OPTIMIZER_OPTION', exitCode: 2, message });
    }
  });

  it("has PyTorch's defaults, and those of the papers where PyTorch has no such rule", () => {
    const defaults = Object.fromEntries(
      Object.entries(optimizerOptions).map(([rule, options]) => [
        rule,
        Object.fromEntries(Object.entries(options).map(([option, spec]) => [option, spec.default])),
      ]),
    );
    const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false };
    assert.deepEqual(defaults, {
      sgd: { weightDecay: 0 },
      momentum: { momentum: 0.9, weightDecay: 0 },
      nesterov: { momentum: 0.9, weightDecay: 0 },
      adam: { ...adam, weightDecay: 0 },
      adamw: { ...adam, weightDecay: 0.01 },
      rmsprop: { rho: 0.99, epsilon: 1e-8, momentum: 0, centered: false, weightDecay: 0 },
      adagrad: { epsilon: 1e-10, weightDecay: 0 },
      adadelta: { rho: 0.9, epsilon: 1e-6, weightDecay: 0 },
      rprop: { etaMinus: 0.5, etaPlus: 1.2, stepMin: 1e-6, stepMax: 50 },
      lars: { momentum: 0.9, trust: 0.001, weightDecay: 0 },
      lamb: { beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0 },
    });
    for (const name of optimizerNames) assert.equal(createOptimizer(name).name, name);
  });
});
