import type { CoordinatorMembership } from './coordinator-state.js';
import type { Begin, Member, Sealed } from './messages.js';

/** Who belongs to a generation: whom a Seal asks, whose state counts, whom the Begin names. */

/** Those that the Seal under way asked, else the members of the newest Begin; without those that were lost since. */
export function groupOf(state: CoordinatorMembership): readonly Member[] {
  if (state.seal) return state.seal.asked;
  const { members = [] } = state.pending ?? state.begin ?? {};
  if (state.departed.length === 0) return members;
  return members.filter(({ workerId }) => !state.departed.includes(workerId));
}

/** Lists never change, and some of them are asked once for each of their workers. */
const idsOf = new WeakMap<object, ReadonlySet<string>>();

export function includes(workers: readonly { readonly workerId: string }[], id: string): boolean {
  if (workers.length < 32) return workers.some(({ workerId }) => workerId === id);
  const known = idsOf.get(workers);
  if (known) return known.has(id);
  const ids = new Set(workers.map(({ workerId }) => workerId));
  idsOf.set(workers, ids);
  return ids.has(id);
}

/** Of the group, those that will be left when the leavers have gone. */
export function stayingOf(state: CoordinatorMembership): readonly Member[] {
  return groupOf(state).filter(({ workerId }) => !state.leaving.includes(workerId));
}

/** Joiners that may be asked beside the group: as many as there are places. Nobody joins a run that stops. */
export function admissibleOf(state: CoordinatorMembership): readonly Member[] {
  if (state.stopRequested || state.joiners.length === 0) return [];
  const group = groupOf(state);
  const places = (state.options.maxWorkers ?? Infinity) - stayingOf(state).length;
  const isFree = ({ workerId }: Member): boolean => !includes(group, workerId) && !state.leaving.includes(workerId);
  return state.joiners.filter(isFree).slice(0, Math.max(0, places));
}

/** Whether those that stay and those that may join are enough to go on. */
export function isEnough(state: CoordinatorMembership): boolean {
  return stayingOf(state).length + admissibleOf(state).length >= state.options.minWorkers;
}

/**
 * Answers whose state the next generation may begin with. Before the first Begin everybody has built state 0. Later only
 * members of the newest Begin count, and of them those that were level or, as survivors of the generation before, one
 * step behind: a joiner that has not caught up yet still holds state 0, and to begin with that would throw steps away.
 */
export function survivorsOf(answers: readonly Sealed[], newest: Begin | undefined): readonly Sealed[] {
  const withState = answers.filter((answer) => answer.hasState);
  if (!newest) return withState;
  return withState.filter(
    ({ workerId, finishedStep }) => includes(newest.members, workerId) && finishedStep >= newest.afterStep - 1,
  );
}

/**
 * The Begin that follows a complete Seal (rule 6), without the leavers; but one that alone holds the newest state stays
 * for another generation, as its donor (rule 9).
 *
 * @param survivors - at least one
 */
export function planBegin(state: CoordinatorMembership, survivors: readonly Sealed[]): Begin {
  const { generation, asked } = state.seal!;
  const afterStep = Math.max(...survivors.map((answer) => answer.finishedStep)); // sealed, so it cannot grow any more; a
  const holders = survivors.filter((answer) => answer.finishedStep === afterStep); // finished step has one possible result
  const donor = (holders.find(({ workerId }) => !state.leaving.includes(workerId)) ?? holders[0]!).workerId;
  const members = asked.filter(({ workerId }) => workerId === donor || !state.leaving.includes(workerId));
  const { batch, planShares } = state.options;
  return {
    kind: 'begin',
    generation,
    members,
    shares: planShares?.(members.map(({ workerId }) => state.speeds.get(workerId))) ?? members.map(() => 1),
    donor: members.findIndex(({ workerId }) => workerId === donor),
    afterStep,
    lastStep: state.stopRequested ? afterStep : state.options.lastStep, //                                        rule 15
    ...(batch && { globalBatchSize: Math.min(batch.perWorker * members.length, batch.max) }),
  };
}
