import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LockstepError } from '../../../src/core/errors.js';
import { learningRateAt } from '../../../src/optim/schedule.js';
import { parseSchedule, scheduleForms } from '../../../src/optim/schedule-text.js';

/** The learning rates of `steps` equal steps; an epoch is ten steps. */
function ratesOf(schedule: string, steps: number, warmupSteps = 0, batchSamples = 50): number[] {
  const parsed = parseSchedule(schedule);
  return Array.from({ length: steps }, (_, s) =>
    learningRateAt(0.1, parsed, {
      samplesBefore: s * batchSamples,
      batchSamples,
      totalSamples: steps * batchSamples,
      samplesPerEpoch: 500,
      warmupSamples: warmupSteps * batchSamples,
    }),
  );
}

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((rate, i) => {
    assert.ok(Math.abs(rate - expected[i]!) <= 1e-14, `step ${i}: ${rate}, expected ${expected[i]}`);
  });
}

describe('schedules', () => {
  it('constant', () => assert.deepEqual(ratesOf('constant', 3), [0.1, 0.1, 0.1]));

  it('cosine, as CosineAnnealingLR(T_max = 4)', () => {
    assertClose(ratesOf('cosine', 4), [0.1, 0.08535533905932738, 0.05, 0.014644660940672627]);
    assertClose(ratesOf('cosine:floor=0.1', 2), [0.1, 0.055]);
  });

  it('one-cycle, as OneCycleLR(max_lr = 0.1, total_steps = 10)', () => {
    const [low, high, end] = [0.004, 0.1, 4e-7];
    const between = (from: number, to: number, x: number) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * x));
    const rising = [0, 1 / 2].map((x) => between(low, high, x));
    const falling = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => between(high, end, k / 7));
    assertClose(ratesOf('one-cycle', 10), [...rising, ...falling]);
    assertClose(ratesOf('one-cycle', 2), [high, end]); //          too short to rise
    assertClose(ratesOf('one-cycle', 1), [high]);
    const long = ratesOf('one-cycle', 1000);
    assert.equal(long.indexOf(Math.max(...long)), 299);
    assert.equal(long.at(-1), 0.1 * (1 / 25 / 1e4));
  });

  it('step decay, in epochs and in samples', () => {
    assertClose(
      ratesOf('step:every=1epoch,factor=0.5', 25),
      [0.1, 0.05, 0.025].flatMap((r, i) => Array<number>(i < 2 ? 10 : 5).fill(r)),
    );
    assertClose(ratesOf('step:every=100samples', 5), [0.1, 0.1, 0.01, 0.01, 0.001]);
  });

  it('warm-up rises in equal steps and reaches the schedule with its last one', () => {
    assertClose(ratesOf('constant', 6, 4), [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]);
    const [plain, warm] = [ratesOf('cosine', 20), ratesOf('cosine', 20, 5)];
    assert.deepEqual(warm.slice(4), plain.slice(4));
    assert.equal(warm[0], plain[0]! * 0.2);
  });

  it('counts samples: twice the batch passes the same points in half the steps', () => {
    for (const schedule of ['cosine', 'step:every=200samples']) {
      const [small, large] = [ratesOf(schedule, 20), ratesOf(schedule, 10, 0, 100)];
      assert.deepEqual(
        large,
        small.filter((_, s) => s % 2 === 0),
      );
    }
  });

  it('stays at its end when a run goes on beyond its plan', () => {
    const clock = { samplesBefore: 5000, batchSamples: 50, totalSamples: 500, samplesPerEpoch: 500, warmupSamples: 0 };
    assert.equal(learningRateAt(0.1, parseSchedule('cosine:floor=0.25'), clock), 0.025);
    assert.equal(learningRateAt(0.1, parseSchedule('one-cycle'), clock), 0.1 * (1 / 25 / 1e4));
  });

  it('reads its own documentation', () => {
    const parsed = scheduleForms.map(({ form }) => parseSchedule(form));
    assert.deepEqual(parsed, [
      { kind: 'constant' },
      parseSchedule('cosine'),
      parseSchedule('one-cycle'),
      parseSchedule('step:every=2epochs'),
    ]);
  });

  it('says what is wrong', () => {
    const reasons: [string, RegExp][] = [
      ['cosin', /schedule cosin: no such schedule, did you mean cosine\?$/],
      ['', /no such schedule; there are constant, cosine, one-cycle, step$/],
      ['step', /every is missing: a number of epochs or samples, such as 2epochs or 50000samples$/],
      ['step:every=2', /every=2 must be a number of epochs or samples/],
      ['step:every=0epochs', /every=0epochs must be/],
      ['step:every=2epochs,factor=1.5', /factor=1.5 must be a number above 0 and below 1$/],
      ['step:every=2epochs,every=3epochs', /every is given twice$/],
      ['step:every', /every is not key=value$/],
      ['cosine:ceiling=1', /cosine has no setting ceiling; it takes floor$/],
      ['constant:rate=1', /constant has no setting rate; it takes no settings$/],
      ['one-cycle:rise=', /rise= must be a number above 0 and below 1$/],
      ['one-cycle:endDivisor=0x10', /endDivisor=0x10 must be a number of at least 1$/],
    ];
    for (const [text, message] of reasons) {
      assert.throws(
        () => parseSchedule(text),
        (e) => e instanceof LockstepError && e.code === 'INVALID_SCHEDULE' && message.test(e.message),
        text,
      );
    }
  });
});
