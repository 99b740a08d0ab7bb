import type { Interval } from '../core/run-spec.js';
import type { Progression } from './training-state.js';

/** What happens between two steps is a function of the state alone, so that it happens there again after any change. */
type Place = Pick<Progression, 'step' | 'position'>;

/** Whether something that happens every `interval` is due after the last finished step. */
export function isAtBoundary({ every, unit }: Interval, { step, position }: Place): boolean {
  if (unit === 'step') return step > 0 && step % every === 0;
  return step > 0 && position.firstPosition === 0 && position.epoch % every === 0;
}

/** @param lastEpoch - passes over the data that end the run before its last step, if there are any */
export function isAtEnd(lastStep: number, lastEpoch: number | undefined, { step, position }: Place): boolean {
  return step >= lastStep || position.epoch >= (lastEpoch ?? Infinity);
}
