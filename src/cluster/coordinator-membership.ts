import { isUnbalanced, speedsAfter } from './balance.js';
import type { CoordinatorInput, CoordinatorMembership, CoordinatorOutcome as Outcome } from './coordinator-state.js';
import { ByWorker } from './by-worker.js';
import { failOnLoss, release, waitingLog } from './departures.js';
import { afterEnd, announceEnd, onStored, store } from './ending.js';
import { fault } from './faults.js';
import { admissibleOf, groupOf, includes, isEnough, planBegin, stayingOf, survivorsOf } from './generation-plan.js';
import { compareGenerations, type Begin, type Member, type Progress, type Seal, type Sealed } from './messages.js';
import { andThen, fail, nothing } from './outcome.js';

export { newCoordinator, restoredCoordinator } from './coordinator-state.js';
export type {
  CoordinatorAction,
  CoordinatorInput,
  CoordinatorMembership,
  CoordinatorOutcome,
  MembershipOptions,
  Phase,
} from './coordinator-state.js';

/** One input, one answer; no clock, no socket. */
export function advanceCoordinator(state: CoordinatorMembership, input: CoordinatorInput): Outcome {
  if (state.phase === 'failed') return nothing(state);
  if (state.phase === 'ended') return afterEnd(state, input);
  if (state.restoring && input.kind !== 'appended' && input.kind !== 'append-failed') return hold(state, input);
  switch (input.kind) {
    case 'joined':
      return onJoined(state, input.member);
    case 'greeted':
      return onGreeted(state, input.progress);
    case 'lost':
      return onLost(state, input.workerId, input.reason, input.mayReturn ?? false);
    case 'leaving':
      return onLeaving(state, input.workerId);
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
    case 'tick':
      return repeat(state);
  }
}

// Who comes

function onJoined(state: CoordinatorMembership, member: Member): Outcome {
  const { workerId } = member;
  if (includes(groupOf(state), workerId)) return remind(state, workerId); //              back before it could answer
  const others = state.joiners.filter((joiner) => joiner.workerId !== workerId);
  const joined = { ...state, joiners: [...others, member] };
  switch (state.phase) {
    case 'gathering':
      return joined.joiners.length >= state.options.worldSize ? sealAll(joined) : nothing(joined);
    case 'sealing':
      return state.begin ? ask(joined, admissibleOf(joined)) : nothing(joined);
    case 'waiting':
      return isEnough(joined) ? sealAll(joined) : { state: joined, actions: [waitingLog(joined)] };
    case 'running':
      return reconsider(joined);
    default:
      return nothing(joined); //                                     journaling: reconsidered when the Begin is there
  }
}

function onGreeted(state: CoordinatorMembership, progress: Progress): Outcome {
  const { workerId } = progress;
  if (!includes(groupOf(state), workerId)) return onStranger(state, workerId);
  const noted = onProgress(state, progress);
  return noted.state.seal === state.seal ? andThen(noted, (next) => remind(next, workerId)) : noted;
}

/** A worker that was given up, and is back. As long as no newer Begin leaves it out, its state counts like any member's. */
function onStranger(state: CoordinatorMembership, workerId: string): Outcome {
  if (includes(state.joiners, workerId)) return nothing(state);
  const member = (state.pending ?? state.begin)?.members.find((m) => m.workerId === workerId);
  const back: CoordinatorMembership = {
    ...state,
    departed: state.departed.filter((id) => id !== workerId),
    missing: state.missing.filter((id) => id !== workerId),
  };
  if (member && state.phase === 'journaling') return nothing(back); //                    the Begin on its way names it
  if (member && state.phase === 'ending') return nothing(state); //                       the End is its answer
  if (member && state.phase === 'storing') return remind(back, workerId);
  if (member && state.phase === 'sealing') return ask(back, [member]);
  if (member && state.phase === 'waiting')
    return sealAll({ ...back, seal: { ...state.seal!, asked: [...state.seal!.asked, member] } });
  return { state, actions: [{ kind: 'dismissed', workerId, why: 'dropped' }] }; //                               rule 14
}

/** Says to one worker again what it has not answered yet (rules 5 and 12). */
function remind(state: CoordinatorMembership, workerId: string): Outcome {
  const { seal, begin } = state;
  if (state.phase === 'sealing' && seal && !includes(seal.answers, workerId))
    return { state, actions: [{ kind: 'send', workerId, message: { kind: 'seal', generation: seal.generation } }] };
  if (state.phase === 'running' && begin) return { state, actions: [{ kind: 'send', workerId, message: begin }] };
  if (state.phase === 'storing' && groupOf(state)[0]?.workerId === workerId) return store(state);
  return nothing(state);
}

/** Rule 5, for messages that were lost without anybody noticing; only those are addressed that owe an answer. */
function repeat(state: CoordinatorMembership): Outcome {
  if (state.phase !== 'sealing' && state.phase !== 'running') return nothing(state);
  const ticks = state.ticks + 1;
  if (!isTimeToRepeat(ticks)) return nothing({ ...state, ticks });
  const owing = groupOf(state).filter(({ workerId }) => state.phase !== 'running' || !state.progress.has(workerId));
  return { state: { ...state, ticks }, actions: owing.flatMap(({ workerId }) => remind(state, workerId).actions) };
}

/** Not before all can have answered, and ever less often: who has a step of minutes is not helped by hearing it again. */
function isTimeToRepeat(ticks: number): boolean {
  return ticks % 64 === 0 || [2, 4, 8, 16, 32].includes(ticks);
}

// Seal

/** Seals when the generation that runs is not the one that should: somebody was lost, leaves or may join, or a stop. */
function reconsider(state: CoordinatorMembership): Outcome {
  const begin = state.begin!;
  const isToStop = state.stopRequested && begin.lastStep !== begin.afterStep;
  const isOutdated = state.departed.length > 0 || isToStop || isLeaverFree(state) || admissibleOf(state).length > 0;
  return isOutdated ? sealAll(state) : nothing(state);
}

/** Whether a leaver can go. A donor stays until all are level (rule 9): nobody finishes a step of its generation before. */
function isLeaverFree({ begin, leaving, progress }: CoordinatorMembership): boolean {
  if (leaving.length === 0) return false;
  const donorId = begin!.members[begin!.donor]!.workerId;
  const isEveryoneLevel = [...progress.values()].some(({ finishedStep }) => finishedStep > begin!.afterStep);
  return leaving.some((workerId) => workerId !== donorId || isEveryoneLevel);
}

/** Starts a Seal: the members of the newest Begin and the joiners, nobody else (rule 3). */
function sealAll(state: CoordinatorMembership): Outcome {
  const generation = { term: state.options.term, number: state.lastNumber + 1 };
  const asked = [...groupOf(state), ...admissibleOf(state)];
  const sealing: CoordinatorMembership = {
    ...state,
    phase: 'sealing',
    lastNumber: generation.number,
    departed: [],
    seal: { generation, asked: [], answers: [] },
    ticks: 0,
  };
  return andThen(ask(sealing, asked), whenAllSealed);
}

/** Asks more workers to answer the Seal under way. */
function ask(state: CoordinatorMembership, workers: readonly Member[]): Outcome {
  const seal = state.seal!;
  const message: Seal = { kind: 'seal', generation: seal.generation };
  return {
    state: { ...state, seal: { ...seal, asked: [...seal.asked, ...workers] } },
    actions: workers.map(({ workerId }) => ({ kind: 'send', workerId, message })),
  };
}

function onSealed(state: CoordinatorMembership, answer: Sealed): Outcome {
  const { seal, begin } = state;
  const isOurs = state.phase === 'running' && includes(groupOf(state), answer.workerId);
  if (isOurs && begin && compareGenerations(answer.generation, begin.generation) > 0) return sealAll(state); //  rule 11
  if (!seal || state.phase !== 'sealing' || compareGenerations(answer.generation, seal.generation) !== 0)
    return nothing(state);
  const isAnswered = seal.answers.some(({ workerId }) => workerId === answer.workerId);
  if (!includes(seal.asked, answer.workerId) || isAnswered) return nothing(state);
  return whenAllSealed({ ...state, seal: { ...seal, answers: [...seal.answers, answer] } });
}

function whenAllSealed(state: CoordinatorMembership): Outcome {
  const { seal, options } = state;
  if (!seal || seal.answers.length < seal.asked.length) return nothing(state);
  const survivors = survivorsOf(seal.answers, state.begin);
  if (survivors.length === 0) return withoutState(state);
  const begin = planBegin(state, survivors);
  if (stayingOf(state).length < options.minWorkers && !state.stopRequested) return wait(state, begin);
  return {
    state: { ...state, phase: 'journaling', seal: undefined, pending: begin },
    actions: [{ kind: 'append', record: begin }],
  };
}

/** Rule 13: silence alone gives no state up. */
function withoutState(state: CoordinatorMembership): Outcome {
  if (state.missing.length === 0 || state.stopRequested)
    return fail(state, fault('NO_STATE_LEFT', { workers: groupOf(state).length }));
  return { state: { ...state, phase: 'waiting' }, actions: [waitingLog(state)] };
}

/** Too few are left: they stay sealed and keep their state. Leavers may go, unless one alone holds the newest. */
function wait(state: CoordinatorMembership, begin: Begin): Outcome {
  if (isEnough(state)) return sealAll(state); //                     joiners for whom there was no place before
  const seal = state.seal!;
  const isKept = ({ workerId }: { readonly workerId: string }) => includes(begin.members, workerId);
  const waiting: CoordinatorMembership = {
    ...state,
    phase: 'waiting',
    seal: { ...seal, asked: seal.asked.filter(isKept), answers: seal.answers.filter(isKept) },
  };
  return andThen(release(waiting), (left) => ({ state: left, actions: [waitingLog(left)] }));
}

// Begin

/** A record is in the journal: now it may be announced, never before (rule 6). */
function onAppended(state: CoordinatorMembership): Outcome {
  switch (state.phase) {
    case 'restoring':
      return beginTerm(state);
    case 'journaling':
      return announceBegin(state, state.pending!);
    case 'ending':
      return announceEnd(state);
    default:
      return nothing(state);
  }
}

function announceBegin(state: CoordinatorMembership, begin: Begin): Outcome {
  const running: CoordinatorMembership = {
    ...state,
    phase: 'running',
    begin,
    pending: undefined,
    missing: state.missing.filter((workerId) => includes(begin.members, workerId)),
    joiners: state.joiners.filter(({ workerId }) => !includes(begin.members, workerId)),
    progress: new ByWorker(),
    reportsUnjudged: 0,
    ticks: 0,
  };
  const announcement = groupOf(running).map(({ workerId }) => ({ kind: 'send', workerId, message: begin }) as const);
  const released = andThen({ state: running, actions: announcement }, release);
  return andThen(released, reconsider); //                           what came while it was journaled
}

function onProgress(state: CoordinatorMembership, progress: Progress): Outcome {
  const { begin, options } = state;
  const { term } = progress.sealed;
  if (term > options.term) return fail(state, fault('DEPOSED', { term: options.term, newerTerm: term }));
  if (!begin || !includes(groupOf(state), progress.workerId)) return nothing(state);
  if (state.phase === 'running' && compareGenerations(progress.sealed, begin.generation) > 0) return sealAll(state); // rule 11
  if (compareGenerations(progress.generation, begin.generation) !== 0) return nothing(state);
  if (isOlder(progress, state.progress.get(progress.workerId))) return nothing(state);
  const known: CoordinatorMembership = {
    ...state,
    progress: state.progress.with(progress.workerId, progress),
    speeds: speedsAfter(state.speeds, progress),
    reportsUnjudged: state.reportsUnjudged + 1,
  };
  return state.phase === 'running' ? considerReport(known, progress, begin) : nothing(known);
}

/** To look at all members is left to some of the reports, so that what one costs does not grow with their number. */
function considerReport(state: CoordinatorMembership, progress: Progress, begin: Begin): Outcome {
  if (progress.ended) return whenAllEnded(state, begin);
  if (state.reportsUnjudged * 16 < begin.members.length) return reconsider(state);
  const judged = { ...state, reportsUnjudged: 0 };
  if (!isUnbalanced(judged)) return reconsider(judged); //              a leaver may be free to go now
  return sealAll({ ...judged, rebalances: judged.rebalances + 1 });
}

/** Whether a report was overtaken by a newer one, as by the greeting on a new stream. */
function isOlder(report: Progress, known: Progress | undefined): boolean {
  if (!known) return false;
  return report.finishedStep < known.finishedStep || (known.ended !== undefined && !report.ended);
}

// End

function whenAllEnded(state: CoordinatorMembership, begin: Begin): Outcome {
  const ended = begin.members.flatMap(({ workerId }) => state.progress.get(workerId) ?? []).filter((p) => p.ended);
  if (ended.length < begin.members.length) return reconsider(state); //             a leaver may be free to go now
  const digests = ended.map((p) => p.ended!.weightsDigest);
  if (new Set(digests).size > 1) return fail(state, fault('WEIGHTS_DIFFER', { step: ended[0]!.finishedStep, digests }));
  return store({ ...state, phase: 'storing' });
}

// A new term

function hold(state: CoordinatorMembership, input: CoordinatorInput): Outcome {
  const { next, held } = state.restoring!;
  return nothing({ ...state, restoring: { next, held: [...held, input] } });
}

/** The term is in the journal: the newest Begin is announced to those who have greeted, and to others as they come. */
function beginTerm(state: CoordinatorMembership): Outcome {
  const { next, held } = state.restoring!;
  const begun: Outcome = {
    state: { ...state, phase: next, restoring: undefined },
    actions: next === 'ended' ? [{ kind: 'finish' }] : [],
  };
  const resumed = held.reduce((outcome, input) => andThen(outcome, (s) => advanceCoordinator(s, input)), begun);
  const isToSeal = (s: CoordinatorMembership): boolean => s.options.sealsAtTerm === true && s.phase === 'running';
  return andThen(resumed, (s) => (isToSeal(s) ? sealAll(s) : nothing(s)));
}

// Who goes

function onStop(state: CoordinatorMembership): Outcome {
  if (state.stopRequested) return nothing(state);
  const stopping = { ...state, stopRequested: true };
  switch (state.phase) {
    case 'gathering':
      return fail(stopping, fault('INTERRUPTED', { joined: state.joiners.length, needed: state.options.worldSize }));
    case 'running':
      return reconsider(stopping);
    case 'waiting':
      return sealAll(stopping);
    default:
      return nothing(stopping); //                                   sealing, journaling: the Begin to come heeds it
  }
}

function onLost(state: CoordinatorMembership, lostId: string, reason: string, mayReturn: boolean): Outcome {
  const group = groupOf(state);
  const isNamed = [state.begin, state.pending].some((begin) => begin && includes(begin.members, lostId));
  const without: CoordinatorMembership = {
    ...state,
    joiners: state.joiners.filter(({ workerId }) => workerId !== lostId),
    leaving: state.leaving.filter((workerId) => workerId !== lostId),
    missing: [...state.missing.filter((workerId) => workerId !== lostId), ...(mayReturn && isNamed ? [lostId] : [])],
  };
  if (!includes(group, lostId)) {
    if (state.missing.includes(lostId) && state.phase === 'waiting') return whenAllSealed(without);
    if (state.missing.includes(lostId) && state.phase === 'storing' && group.length === 0) return store(without);
    const text = `worker ${lostId} left before it took part (${reason})`;
    return { state: without, actions: includes(state.joiners, lostId) ? [{ kind: 'log', text }] : [] };
  }
  if (!state.begin && !state.pending) return gatherAgain(without, `worker ${lostId} was lost`, reason);
  if (state.phase === 'storing') {
    const left = { ...without, departed: [...state.departed, lostId] };
    return group[0]?.workerId === lostId ? store(left) : nothing(left); // the one that was asked for its state
  }
  const isTooFew = group.length - 1 < state.options.minWorkers;
  if (isTooFew && state.options.failOnLoss && state.phase !== 'ending') return failOnLoss(without, lostId, reason);
  return withoutMember(without, lostId);
}

/** What follows when a member is gone, by phase. */
function withoutMember(state: CoordinatorMembership, lostId: string): Outcome {
  const { seal } = state;
  const isOther = ({ workerId }: { readonly workerId: string }) => workerId !== lostId;
  if (seal)
    return whenAllSealed({
      ...state,
      seal: { ...seal, asked: seal.asked.filter(isOther), answers: seal.answers.filter(isOther) },
    });
  const left = { ...state, departed: [...state.departed, lostId] };
  return state.phase === 'running' ? reconsider(left) : nothing(left); // journaling: when the Begin is there
}

/** Rule 9: a leaver goes at the Begin that leaves it out. */
function onLeaving(state: CoordinatorMembership, workerId: string): Outcome {
  if (state.phase === 'storing' || state.phase === 'ending') return nothing(state); // the End lets it go
  if (!includes(groupOf(state), workerId)) return release({ ...state, leaving: [...state.leaving, workerId] });
  if (state.leaving.includes(workerId)) return nothing(state);
  if (!state.begin && !state.pending) {
    const joiners = state.joiners.filter((joiner) => joiner.workerId !== workerId);
    const again = gatherAgain({ ...state, joiners }, `worker ${workerId} left`, 'it was asked to');
    return { state: again.state, actions: [{ kind: 'dismissed', workerId, why: 'left' }, ...again.actions] };
  }
  const leaving = { ...state, leaving: [...state.leaving, workerId] };
  if (stayingOf(leaving).length < state.options.minWorkers && state.options.failOnLoss)
    return failOnLoss(leaving, workerId, 'it was asked to leave');
  if (state.phase === 'running') return reconsider(leaving);
  return state.phase === 'waiting' ? whenAllSealed(leaving) : nothing(leaving);
}

/** Gone while the first Seal is under way: no step has run, so the place is simply free again. */
function gatherAgain(state: CoordinatorMembership, what: string, reason: string): Outcome {
  const gathering: CoordinatorMembership = { ...state, phase: 'gathering', seal: undefined };
  if (state.stopRequested) return onStop({ ...gathering, stopRequested: false }); //     asked while the Seal was under way
  const text = `${what} before the first step (${reason}); waiting for another`;
  const isComplete = state.joiners.length >= state.options.worldSize;
  const next = isComplete ? sealAll(gathering) : nothing(gathering);
  return { state: next.state, actions: [{ kind: 'log', text }, ...next.actions] };
}
