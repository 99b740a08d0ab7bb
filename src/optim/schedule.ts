/**
 * Learning-rate schedules. They count samples and not steps, so that they keep their shape when the batch size changes.
 *
 *     constant     1
 *     cosine       floor + (1 - floor) (1 + cos(pi x)) / 2 with x = samples before the step / all samples
 *                  (Loshchilov & Hutter 2017, without restarts; PyTorch's CosineAnnealingLR)
 *     one-cycle    a cosine up from 1 / startDivisor to 1 over the first `rise` of the run, then a cosine down to
 *                  1 / (startDivisor endDivisor) at the last step (Smith & Topin 2018; PyTorch's OneCycleLR)
 *     step         factor^n after n times `every` (PyTorch's StepLR)
 *
 * Warm-up multiplies any of them by a line that reaches 1 with the last warm-up step (Goyal et al. 2017).
 */
import { cos, pow } from '../core/maths.js';

export type Schedule =
  | { readonly kind: 'constant' }
  | { readonly kind: 'cosine'; readonly floor: number }
  | { readonly kind: 'one-cycle'; readonly rise: number; readonly startDivisor: number; readonly endDivisor: number }
  | { readonly kind: 'step'; readonly every: Span; readonly factor: number };

export interface Span {
  readonly count: number;
  readonly unit: 'epochs' | 'samples';
}

/** Where a step stands in its run, in samples. */
export interface ScheduleClock {
  /** Samples of all earlier steps. */
  readonly samplesBefore: number;
  /** Samples of this step, at least 1. */
  readonly batchSamples: number;
  /** Samples of the whole run. */
  readonly totalSamples: number;
  /** Samples that one epoch uses. */
  readonly samplesPerEpoch: number;
  /** Warm-up steps times the global batch size; 0 without warm-up. */
  readonly warmupSamples: number;
}

/** The learning rate of the step that `clock` describes. */
export function learningRateAt(baseRate: number, schedule: Schedule, clock: ScheduleClock): number {
  return baseRate * scheduleFactor(schedule, clock) * warmupFactor(clock);
}

function warmupFactor({ samplesBefore, batchSamples, warmupSamples }: ScheduleClock): number {
  const samplesAfter = samplesBefore + batchSamples;
  return samplesAfter < warmupSamples ? samplesAfter / warmupSamples : 1;
}

function scheduleFactor(schedule: Schedule, clock: ScheduleClock): number {
  const { samplesBefore, batchSamples, totalSamples, samplesPerEpoch } = clock;
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'cosine':
      return cosineBetween(1, schedule.floor, samplesBefore / totalSamples);
    case 'one-cycle': {
      const lowest = 1 / schedule.startDivisor;
      const last = totalSamples - batchSamples; //                where the last step begins: the far end of the curve
      const peak = schedule.rise * totalSamples - batchSamples; // PyTorch: the step before `rise` of the run is over
      if (samplesBefore < peak) return cosineBetween(lowest, 1, samplesBefore / peak);
      const top = peak > 0 ? peak : 0; //                         a run too short to rise starts at the top
      return last > top ? cosineBetween(1, lowest / schedule.endDivisor, (samplesBefore - top) / (last - top)) : 1;
    }
    case 'step': {
      const { count, unit } = schedule.every;
      return pow(schedule.factor, Math.floor(samplesBefore / (unit === 'epochs' ? count * samplesPerEpoch : count)));
    }
  }
}

/** From `start` at x = 0 to `end` at x = 1, along half a cosine. */
function cosineBetween(start: number, end: number, x: number): number {
  if (x >= 1) return end; //                                      beyond the planned end of a run too
  return end + (start - end) * 0.5 * (1 + cos(Math.PI * x));
}
