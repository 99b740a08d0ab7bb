import type {
  CoordinatorAction,
  CoordinatorInput,
  CoordinatorMembership,
  CoordinatorOutcome as Outcome,
} from './coordinator-state.js';
import { nothing } from './outcome.js';

/** The End is in the journal: now, and only now, may anybody exit (rule 16). */
export function announceEnd(state: CoordinatorMembership): Outcome {
  const everybody = [...state.begin!.members, ...state.joiners];
  const farewell = everybody.map(({ workerId }) => endTo(state, workerId));
  return { state: { ...state, phase: 'ended' }, actions: [...farewell, { kind: 'finish' }] };
}

function endTo(state: CoordinatorMembership, workerId: string): CoordinatorAction {
  return { kind: 'send', workerId, message: { kind: 'end', generation: state.begin!.generation } };
}

/** Whoever missed the End is told again. */
export function afterEnd(state: CoordinatorMembership, input: CoordinatorInput): Outcome {
  if (input.kind === 'greeted') return { state, actions: [endTo(state, input.progress.workerId)] };
  if (input.kind === 'joined') return { state, actions: [endTo(state, input.member.workerId)] };
  return nothing(state);
}
