import {
  compareGenerations,
  noGeneration,
  type Begin,
  type Generation,
  type Sealed,
  type ToWorker,
} from './messages.js';

/** What a worker knows of membership. Training itself is outside and reports here. */
export interface WorkerMembership {
  readonly workerId: string;
  /** The newest Seal that was answered (rule 7). */
  readonly sealed: Generation;
  /** The generation that is running or catching up; undefined once it is sealed. */
  readonly begin: Begin | undefined;
  /** A Seal that is answered as soon as the running update is abandoned (rule 4). */
  readonly sealing: Generation | undefined;
  readonly finishedStep: number;
  readonly hasState: boolean;
  readonly ended: boolean;
}

export type WorkerInput =
  | { readonly kind: 'message'; readonly message: ToWorker }
  /** The running round has stopped: nothing of the old generation will be sent, accepted or finished. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'finished'; readonly generation: Generation; readonly step: number }
  /** State `step` was built from the spec or pulled from a donor. */
  | { readonly kind: 'level'; readonly step: number };

export type WorkerAction =
  /** Stop the running round; say `abandoned` when it has stopped. */
  | { readonly kind: 'abandon'; readonly reason: string }
  | { readonly kind: 'send'; readonly message: Sealed }
  /** Pull state `begin.afterStep` from the donor; say `level` when it is there. */
  | { readonly kind: 'catch-up'; readonly begin: Begin }
  /** Run steps from `begin.afterStep + 1`; if that is past the last step, only end. */
  | { readonly kind: 'run'; readonly begin: Begin }
  | { readonly kind: 'exit' }
  | { readonly kind: 'log'; readonly text: string };

export function joinedWorker(workerId: string): WorkerMembership {
  return {
    workerId,
    sealed: noGeneration,
    begin: undefined,
    sealing: undefined,
    finishedStep: 0,
    hasState: false,
    ended: false,
  };
}

type Outcome = { readonly state: WorkerMembership; readonly actions: readonly WorkerAction[] };

/** One input, one answer; no clock, no socket. */
export function advanceWorker(state: WorkerMembership, input: WorkerInput): Outcome {
  switch (input.kind) {
    case 'message':
      return onMessage(state, input.message);
    case 'abandoned':
      return state.sealing ? answerSeal({ ...state, begin: undefined }, state.sealing) : { state, actions: [] };
    case 'finished':
      return onFinished(state, input.generation, input.step);
    case 'level':
      return onLevel(state, input.step);
  }
}

function onMessage(state: WorkerMembership, message: ToWorker): Outcome {
  switch (message.kind) {
    case 'seal':
      return onSeal(state, message.generation);
    case 'begin':
      return onBegin(state, message);
    case 'end':
      return { state: { ...state, ended: true }, actions: [{ kind: 'exit' }] };
  }
}

function onSeal(state: WorkerMembership, generation: Generation): Outcome {
  const newest = state.sealing ?? state.sealed;
  if (compareGenerations(generation, newest) < 0) return refuse(state, 'a Seal older than the last one'); //     rule 5
  if (state.begin && compareGenerations(generation, state.begin.generation) === 0)
    return refuse(state, 'a Seal whose Begin has come'); //          a late copy: the coordinator has its answer
  if (state.begin) {
    const abandon = state.sealing ? [] : [{ kind: 'abandon', reason: 'membership is changing' } as const];
    return { state: { ...state, sealing: generation }, actions: abandon };
  }
  return answerSeal(state, generation); //                           rule 5: a repeated Seal is answered again
}

function answerSeal(state: WorkerMembership, generation: Generation): Outcome {
  const { workerId, finishedStep, hasState } = state;
  return {
    state: { ...state, sealed: generation, sealing: undefined },
    actions: [{ kind: 'send', message: { kind: 'sealed', workerId, generation, finishedStep, hasState } }],
  };
}

function onBegin(state: WorkerMembership, begin: Begin): Outcome {
  const newestSeal = state.sealing ?? state.sealed;
  if (compareGenerations(begin.generation, newestSeal) < 0) return refuse(state, 'a Begin older than the last Seal'); // rule 7
  if (state.begin) {
    const isRepeated = compareGenerations(begin.generation, state.begin.generation) === 0; //                      rule 12
    return isRepeated ? { state, actions: [] } : refuse(state, 'a Begin of a generation that was never sealed here');
  }
  const isLevel = state.hasState && state.finishedStep === begin.afterStep;
  return { state: { ...state, begin }, actions: [{ kind: isLevel ? 'run' : 'catch-up', begin }] }; //               rule 8
}

function onLevel(state: WorkerMembership, step: number): Outcome {
  const level = { ...state, hasState: true, finishedStep: step };
  const isAwaited = state.begin && !state.sealing && step === state.begin.afterStep;
  return { state: level, actions: isAwaited ? [{ kind: 'run', begin: state.begin }] : [] };
}

function onFinished(state: WorkerMembership, generation: Generation, step: number): Outcome {
  if (!state.begin || compareGenerations(generation, state.begin.generation) !== 0) {
    throw new Error(`step ${step} finished in a generation that is not running`); // rule 4 forbids it: a bug
  }
  return { state: { ...state, finishedStep: step }, actions: [] };
}

function refuse(state: WorkerMembership, what: string): Outcome {
  return { state, actions: [{ kind: 'log', text: `refused ${what}` }] };
}
