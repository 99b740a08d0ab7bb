import type {
  CoordinatorAction,
  CoordinatorInput,
  CoordinatorMembership,
  CoordinatorOutcome as Outcome,
} from './coordinator-state.js';
import { fault } from './faults.js';
import { groupOf } from './generation-plan.js';
import type { End } from './messages.js';
import { fail, nothing } from './outcome.js';

/** From the first that is left: all hold the same. If nobody is, from whoever comes back (rule 13). */
export function store(state: CoordinatorMembership): Outcome {
  const member = groupOf(state)[0];
  if (!member) {
    if (state.missing.length === 0) return fail(state, fault('NO_STATE_LEFT', { workers: 0 }));
    const text = `waiting for worker ${state.missing.join(' or ')}: nobody else holds the final state`;
    return { state, actions: [{ kind: 'log', text }] };
  }
  const progress = state.progress.get(member.workerId)!;
  return { state, actions: [{ kind: 'store', member, step: progress.finishedStep, progress }] };
}

export function onStored(state: CoordinatorMembership): Outcome {
  if (state.phase !== 'storing' || !state.begin) return nothing(state);
  const end: End = { kind: 'end', generation: state.begin.generation };
  return { state: { ...state, phase: 'ending' }, actions: [{ kind: 'append', record: end }] }; //                 rule 16
}

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
