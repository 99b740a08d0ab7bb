import type { CoordinatorAction, CoordinatorMembership, CoordinatorOutcome as Outcome } from './coordinator-state.js';
import { fault } from './faults.js';
import { admissibleOf, groupOf, includes, stayingOf, survivorsOf } from './generation-plan.js';
import { fail } from './outcome.js';

/** What is said and done about those who go. */

/** Lets leavers go that no generation names any more. */
export function release(state: CoordinatorMembership): Outcome {
  const group = groupOf(state);
  const gone = state.leaving.filter((workerId) => !includes(group, workerId));
  return {
    state: {
      ...state,
      leaving: state.leaving.filter((workerId) => !gone.includes(workerId)),
      joiners: state.joiners.filter(({ workerId }) => !gone.includes(workerId)),
    },
    actions: gone.map((workerId) => ({ kind: 'dismissed', workerId, why: 'left' })),
  };
}

/** For what the run waits. */
export function waitingLog(state: CoordinatorMembership): CoordinatorAction {
  const { minWorkers } = state.options;
  const survivors = survivorsOf(state.seal!.answers, state.begin);
  if (survivors.length === 0)
    return {
      kind: 'log',
      text: `waiting for worker ${state.missing.join(' or ')}: nobody else holds the training state`,
    };
  const here = stayingOf(state).length + admissibleOf(state).length;
  const step = Math.max(...survivors.map(({ finishedStep }) => finishedStep));
  const held = state.leaving.length > 0 ? `; worker ${state.leaving.join(', ')} alone holds the state and stays` : '';
  const what = `waiting after step ${step} for ${minWorkers - here} more to join`;
  return { kind: 'log', text: `${what}: ${here} of at least ${minWorkers} workers are left${held}` };
}

export function failOnLoss(state: CoordinatorMembership, workerId: string, reason: string): Outcome {
  const step = Math.max(0, state.begin?.afterStep ?? 0, ...[...state.progress.values()].map((p) => p.finishedStep));
  const left = stayingOf(state).filter((member) => member.workerId !== workerId).length;
  return fail(state, fault('WORKER_LOST', { workerId, reason, step, left, needed: state.options.minWorkers }));
}
