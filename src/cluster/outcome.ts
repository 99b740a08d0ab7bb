import { type LockstepError } from '../core/errors.js';
import type { CoordinatorMembership, CoordinatorOutcome as Outcome } from './coordinator-state.js';

export function fail(state: CoordinatorMembership, error: LockstepError): Outcome {
  return { state: { ...state, phase: 'failed' }, actions: [{ kind: 'fail', error }] };
}

export function nothing(state: CoordinatorMembership): Outcome {
  return { state, actions: [] };
}

export function andThen(first: Outcome, next: (state: CoordinatorMembership) => Outcome): Outcome {
  const second = next(first.state);
  return { state: second.state, actions: [...first.actions, ...second.actions] };
}
