import type { StateRequest, StateSnapshot } from '../transport/grpc/exchange-server.js';
import { fault } from './faults.js';
import type { PreparedRun } from './prepared-run.js';
import type { Progression, TrainingState } from './training-state.js';

/** The state that somebody asks for, or why it is not here. Vectors are views: nothing is copied. */
export function readState(run: PreparedRun, request: StateRequest): StateSnapshot | string {
  const { state, best, checkpoint } = run;
  if (request.what === 'best') {
    if (!best) return 'there was no evaluation here yet';
    return { description: JSON.stringify({ step: best.step }), vectors: [{ name: 'weights', values: best.weights }] };
  }
  if (request.what === 'checkpoint') return checkpoint?.state ?? 'no checkpoint was taken here yet';
  if (state.progression.step !== request.step)
    return `the state here is of step ${state.progression.step}, not ${request.step}`;
  return stateOf(run);
}

/** Keeps a copy of the state as it is now, for whoever stores it while training goes on. It replaces the one before. */
export function takeCheckpoint(run: PreparedRun): void {
  const { description, vectors } = stateOf(run);
  const copies = vectors.map(({ name, values }) => ({ name, values: new Float32Array(values) }));
  run.checkpoint = { step: run.state.progression.step, state: { description, vectors: copies } };
}

function stateOf({ state }: PreparedRun): StateSnapshot {
  const slots = state.optimizer.slots.map((name, i) => ({ name, values: state.now.slots[i]! }));
  return {
    description: JSON.stringify(state.progression),
    vectors: [{ name: 'weights', values: state.now.weights }, ...slots],
  };
}

/** Makes a state that was pulled this worker's own. @throws LockstepError `STATE_MISMATCH`, with nothing changed */
export function adoptState(state: TrainingState, snapshot: StateSnapshot): void {
  const targets = [
    { name: 'weights', target: state.spare.weights },
    ...state.optimizer.slots.map((name, i) => ({ name, target: state.spare.slots[i]! })),
  ];
  for (const { name, target } of targets) {
    const values = snapshot.vectors.find((vector) => vector.name === name)?.values;
    if (values?.length !== target.length) {
      throw fault('STATE_MISMATCH', { vector: name, expected: target.length, actual: values?.length ?? 0 });
    }
    target.set(values);
  }
  state.progression = JSON.parse(snapshot.description) as Progression;
  state.swap();
}
