import { type LockstepError } from '../core/errors.js';
import { fault } from './faults.js';
import {
  compareGenerations,
  type Begin,
  type End,
  type Generation,
  type Member,
  type Progress,
  type Sealed,
  type ToWorker,
} from './messages.js';

/** How the coordinator is tuned; fixed for its term. */
export interface MembershipOptions {
  readonly term: number;
  /** Workers that must have joined before the first step. */
  readonly worldSize: number;
  /** With fewer the run fails. */
  readonly minWorkers: number;
  /** Steps of the whole run. */
  readonly lastStep: number;
}

/**
 * gathering -> sealing -> journaling -> running -> storing -> ending -> ended, and from running back to sealing at
 * every change. `failed` can follow any but the last.
 */
export type Phase = 'gathering' | 'sealing' | 'journaling' | 'running' | 'storing' | 'ending' | 'ended' | 'failed';

export interface CoordinatorMembership {
  readonly options: MembershipOptions;
  readonly phase: Phase;
  /** Joined, but not in the newest Begin. In the order in which they came. */
  readonly joiners: readonly Member[];
  /** The newest Begin in the journal. */
  readonly begin: Begin | undefined;
  /** On its way into the journal. */
  readonly pending: Begin | undefined;
  /** The Seal under way: whom it asked, and who has answered. */
  readonly seal:
    | { readonly generation: Generation; readonly asked: readonly Member[]; readonly answers: readonly Sealed[] }
    | undefined;
  /** Number of the newest generation that was ever asked for. */
  readonly lastNumber: number;
  /** Members that were lost while the Begin that names them was on its way into the journal. */
  readonly departed: readonly string[];
  /** Of the newest generation's members. */
  readonly progress: ReadonlyMap<string, Progress>;
  readonly stopRequested: boolean;
}

export type CoordinatorInput =
  | { readonly kind: 'joined'; readonly member: Member }
  | { readonly kind: 'lost'; readonly workerId: string; readonly reason: string }
  | { readonly kind: 'message'; readonly message: Sealed | Progress }
  | { readonly kind: 'appended' }
  | { readonly kind: 'append-failed'; readonly reason: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'stored' };

export type CoordinatorAction =
  | { readonly kind: 'send'; readonly workerId: string; readonly message: ToWorker }
  /** Write to the journal, durably; then say `appended` or `append-failed`. */
  | { readonly kind: 'append'; readonly record: Begin | End }
  /** Fetch the final state from this member and store it; then say `stored`. */
  | { readonly kind: 'store'; readonly member: Member; readonly step: number; readonly progress: Progress }
  | { readonly kind: 'finish' }
  | { readonly kind: 'fail'; readonly error: LockstepError }
  | { readonly kind: 'log'; readonly text: string };

type Outcome = { readonly state: CoordinatorMembership; readonly actions: readonly CoordinatorAction[] };

export function newCoordinator(options: MembershipOptions): CoordinatorMembership {
  return {
    options,
    phase: 'gathering',
    joiners: [],
    begin: undefined,
    pending: undefined,
    seal: undefined,
    lastNumber: 0,
    departed: [],
    progress: new Map(),
    stopRequested: false,
  };
}

/** One input, one answer; no clock, no socket. */
export function advanceCoordinator(state: CoordinatorMembership, input: CoordinatorInput): Outcome {
  if (state.phase === 'ended' || state.phase === 'failed') return { state, actions: [] };
  switch (input.kind) {
    case 'joined':
      return onJoined(state, input.member);
    case 'lost':
      return onLost(state, input.workerId, input.reason);
    case 'message':
      return input.message.kind === 'sealed' ? onSealed(state, input.message) : onProgress(state, input.message);
    case 'appended':
      return onAppended(state);
    case 'append-failed':
      return fail(state, fault('JOURNAL_FAILED', { reason: input.reason })); //            rule 6: deposed
    case 'stop':
      return onStop(state);
    case 'stored':
      return onStored(state);
  }
}

function onJoined(state: CoordinatorMembership, member: Member): Outcome {
  const joined = { ...state, joiners: [...state.joiners, member] };
  const isComplete = state.phase === 'gathering' && joined.joiners.length >= state.options.worldSize;
  return isComplete ? sealAll(joined, joined.joiners) : { state: joined, actions: [] };
}

/** Starts a Seal: the members of the newest Begin and the joiners, nobody else (rule 3). */
function sealAll(state: CoordinatorMembership, asked: readonly Member[]): Outcome {
  const generation = { term: state.options.term, number: state.lastNumber + 1 };
  return {
    state: { ...state, phase: 'sealing', lastNumber: generation.number, seal: { generation, asked, answers: [] } },
    actions: asked.map(({ workerId }) => ({ kind: 'send', workerId, message: { kind: 'seal', generation } })),
  };
}

function onSealed(state: CoordinatorMembership, answer: Sealed): Outcome {
  const { seal } = state;
  if (!seal || state.phase !== 'sealing' || compareGenerations(answer.generation, seal.generation) !== 0)
    return { state, actions: [] };
  if (seal.answers.some(({ workerId }) => workerId === answer.workerId)) return { state, actions: [] };
  return whenAllSealed({ ...state, seal: { ...seal, answers: [...seal.answers, answer] } });
}

function whenAllSealed(state: CoordinatorMembership): Outcome {
  const { seal } = state;
  if (!seal || seal.answers.length < seal.asked.length) return { state, actions: [] };
  const withState = seal.answers.filter((answer) => answer.hasState);
  if (withState.length === 0) return fail(state, fault('NO_STATE_LEFT', { workers: seal.asked.length })); //      rule 13
  const afterStep = Math.max(...withState.map((answer) => answer.finishedStep)); // sealed, so it cannot grow any more; a
  const donor = withState.find((answer) => answer.finishedStep === afterStep)!; //   finished step has one possible result
  const begin: Begin = {
    kind: 'begin',
    generation: seal.generation,
    members: seal.asked,
    shares: seal.asked.map(() => 1),
    donor: seal.asked.findIndex(({ workerId }) => workerId === donor.workerId),
    afterStep,
    lastStep: state.stopRequested ? afterStep : state.options.lastStep, //                                        rule 15
  };
  return {
    state: { ...state, phase: 'journaling', seal: undefined, pending: begin },
    actions: [{ kind: 'append', record: begin }],
  };
}

/** A record is in the journal: now it may be announced, never before (rule 6). */
function onAppended(state: CoordinatorMembership): Outcome {
  if (state.phase === 'ending') return announceEnd(state);
  const begin = state.pending;
  if (!begin || state.phase !== 'journaling') return { state, actions: [] };
  const isMember = (joiner: Member) => begin.members.some(({ workerId }) => workerId === joiner.workerId);
  const running: CoordinatorMembership = {
    ...state,
    phase: 'running',
    begin,
    pending: undefined,
    departed: [],
    joiners: state.joiners.filter((joiner) => !isMember(joiner)),
    progress: new Map(),
  };
  const left = begin.members.filter(({ workerId }) => !state.departed.includes(workerId));
  const announcement = left.map(({ workerId }) => ({ kind: 'send', workerId, message: begin }) as const);
  const isOutdated = left.length < begin.members.length || (state.stopRequested && begin.lastStep !== begin.afterStep);
  const next = isOutdated ? sealAll(running, left) : { state: running, actions: [] }; // what came while it was journaled
  return { state: next.state, actions: [...announcement, ...next.actions] };
}

function onProgress(state: CoordinatorMembership, progress: Progress): Outcome {
  const { begin } = state;
  if (!begin || compareGenerations(progress.generation, begin.generation) !== 0) return { state, actions: [] };
  const known = { ...state, progress: new Map(state.progress).set(progress.workerId, progress) };
  return state.phase === 'running' ? whenAllEnded(known, begin) : { state: known, actions: [] };
}

function whenAllEnded(state: CoordinatorMembership, begin: Begin): Outcome {
  const ended = begin.members.flatMap(({ workerId }) => state.progress.get(workerId) ?? []).filter((p) => p.ended);
  if (ended.length < begin.members.length) return { state, actions: [] };
  const digests = ended.map((p) => p.ended!.weightsDigest);
  if (new Set(digests).size > 1) return fail(state, fault('WEIGHTS_DIFFER', { step: ended[0]!.finishedStep, digests }));
  return store({ ...state, phase: 'storing' }, begin.members);
}

function store(state: CoordinatorMembership, candidates: readonly Member[]): Outcome {
  const member = candidates[0]!;
  const progress = state.progress.get(member.workerId)!;
  return { state, actions: [{ kind: 'store', member, step: progress.finishedStep, progress }] };
}

function onStored(state: CoordinatorMembership): Outcome {
  if (state.phase !== 'storing' || !state.begin) return { state, actions: [] };
  const end: End = { kind: 'end', generation: state.begin.generation };
  return { state: { ...state, phase: 'ending' }, actions: [{ kind: 'append', record: end }] }; //                 rule 16
}

function announceEnd(state: CoordinatorMembership): Outcome {
  const { generation, members } = state.begin!;
  const farewell = members.map(
    ({ workerId }) => ({ kind: 'send', workerId, message: { kind: 'end', generation } }) as const,
  );
  return { state: { ...state, phase: 'ended' }, actions: [...farewell, { kind: 'finish' }] };
}

function onStop(state: CoordinatorMembership): Outcome {
  if (state.stopRequested) return { state, actions: [] };
  const stopping = { ...state, stopRequested: true };
  switch (state.phase) {
    case 'gathering':
      return fail(stopping, fault('INTERRUPTED', { joined: state.joiners.length, needed: state.options.worldSize }));
    case 'running':
      return sealAll(stopping, state.begin!.members);
    default:
      return { state: stopping, actions: [] }; //                     sealing, journaling: the Begin to come heeds it
  }
}

function onLost(state: CoordinatorMembership, lostId: string, reason: string): Outcome {
  const isOther = ({ workerId }: { readonly workerId: string }) => workerId !== lostId;
  const joiners = state.joiners.filter(isOther);
  const members = state.seal?.asked ?? (state.pending ?? state.begin)?.members ?? [];
  const generation = members.filter(({ workerId }) => !state.departed.includes(workerId));
  const left = generation.filter(isOther);
  const without = { ...state, joiners };
  if (left.length === generation.length) {
    return {
      state: without,
      actions: [{ kind: 'log', text: `worker ${lostId} left before it took part (${reason})` }],
    };
  }
  if (state.phase === 'ending') return { state: without, actions: [] }; //             all is stored: nobody is needed
  if (!state.begin && !state.pending) return gatherAgain(without, lostId, reason);
  if (state.phase === 'storing')
    return left.length > 0 ? store(without, left) : fail(without, fault('NO_STATE_LEFT', { workers: 0 }));
  if (left.length < state.options.minWorkers) {
    const step = Math.max(0, state.begin?.afterStep ?? 0, ...[...state.progress.values()].map((p) => p.finishedStep));
    const facts = { workerId: lostId, reason, step, left: left.length, needed: state.options.minWorkers };
    return fail(without, fault('WORKER_LOST', facts));
  }
  if (state.phase === 'journaling')
    return { state: { ...without, departed: [...state.departed, lostId] }, actions: [] };
  if (state.phase !== 'sealing') return sealAll(without, left);
  const seal = { ...state.seal!, asked: left, answers: state.seal!.answers.filter(isOther) };
  return whenAllSealed({ ...without, seal });
}

/** Lost while the first Seal is under way: no step has run, so the place is simply free again. */
function gatherAgain(state: CoordinatorMembership, lostId: string, reason: string): Outcome {
  const gathering: CoordinatorMembership = { ...state, phase: 'gathering', seal: undefined };
  const log = {
    kind: 'log',
    text: `worker ${lostId} was lost before the first step (${reason}); waiting for another`,
  } as const;
  const isComplete = state.joiners.length >= state.options.worldSize;
  const next = isComplete ? sealAll(gathering, state.joiners) : { state: gathering, actions: [] };
  return { state: next.state, actions: [log, ...next.actions] };
}

function fail(state: CoordinatorMembership, error: LockstepError): Outcome {
  return { state: { ...state, phase: 'failed' }, actions: [{ kind: 'fail', error }] };
}
