import type { CoordinatorAction, CoordinatorInput } from '../../src/cluster/coordinator-membership.js';
import { compareGenerations, noGeneration, type Begin, type Progress } from '../../src/cluster/messages.js';
import { productionRules, type Rules } from './rules.js';
import type { Scenario } from './scenario.js';

/** A rule that is broken on purpose, to see whether the simulation finds out. */
export interface PlantedBug {
  readonly what: string;
  readonly rules: Rules;
  /** Where it can show itself at all. */
  readonly scenario: Partial<Scenario>;
}

const { advanceCoordinator, restoredCoordinator, advanceWorker } = productionRules;

/** The production rules with some decisions changed. */
const bug = (what: string, changed: Partial<Rules>, scenario: Partial<Scenario> = {}): PlantedBug => ({
  what,
  rules: { ...productionRules, ...changed },
  scenario,
});

type CoordinatorOutcome = ReturnType<typeof advanceCoordinator>;

/** Changes what the coordinator is told. */
function mishearing(change: (input: CoordinatorInput) => CoordinatorInput): Partial<Rules> {
  return { advanceCoordinator: (state, input) => advanceCoordinator(state, change(input)) };
}

/** Changes what the coordinator decides. */
function deciding(
  change: (
    outcome: CoordinatorOutcome,
    before: CoordinatorOutcome['state'],
    input: CoordinatorInput,
  ) => CoordinatorOutcome,
): Partial<Rules> {
  return { advanceCoordinator: (state, input) => change(advanceCoordinator(state, input), state, input) };
}

function isAppendOfBegin(action: CoordinatorAction): action is CoordinatorAction & { kind: 'append'; record: Begin } {
  return action.kind === 'append' && action.record.kind === 'begin';
}

export const plantedBugs: readonly PlantedBug[] = [
  bug("rule 2: a Begin decides about its first step's batch", {
    batchOf: (inState, begin) => begin.globalBatchSize ?? inState,
  }),
  bug('rule 3: answers to an older Seal count for the one under way', {
    advanceCoordinator: (state, input) => {
      const isAnswer = input.kind === 'message' && input.message.kind === 'sealed' && state.seal;
      if (!isAnswer || input.message.kind !== 'sealed') return advanceCoordinator(state, input);
      const message = { ...input.message, generation: state.seal.generation };
      return advanceCoordinator(state, { kind: 'message', message });
    },
  }),
  bug('rule 4: a Seal is answered before the running update is abandoned', {
    advanceWorker: (state, input) => {
      if (input.kind === 'finished' && !state.begin)
        return { state: { ...state, finishedStep: input.step }, actions: [] };
      const { state: next, actions } = advanceWorker(state, input);
      const isRunning = actions.some(({ kind }) => kind === 'abandon');
      return isRunning ? advanceWorker(next, { kind: 'abandoned' }) : { state: next, actions };
    },
  }),
  bug('rule 5: a repeated Seal is not answered again', {
    advanceWorker: (state, input) => {
      const isSeal = input.kind === 'message' && input.message.kind === 'seal';
      const isRepeated = isSeal && compareGenerations(input.message.generation, state.sealed) === 0;
      return isRepeated ? { state, actions: [] } : advanceWorker(state, input);
    },
  }),
  bug('rule 5: a lower Seal is answered', {
    advanceWorker: (state, input) => {
      const isSeal = input.kind === 'message' && input.message.kind === 'seal';
      return advanceWorker(isSeal ? { ...state, sealed: noGeneration, sealing: undefined } : state, input);
    },
  }),
  bug('rule 6: a Begin is announced before it is in the journal', {
    ...deciding(({ state, actions }) => ({
      state,
      actions: actions.flatMap((action): CoordinatorAction[] => {
        if (!isAppendOfBegin(action)) return [action];
        const { record } = action;
        return [
          action,
          ...record.members.map(({ workerId }) => ({ kind: 'send', workerId, message: record }) as const),
        ];
      }),
    })),
  }),
  bug('rule 6: m is the smallest finished step among the answers', {
    ...deciding(({ state, actions }, before) => {
      const append = actions.find(isAppendOfBegin);
      const answers = before.seal?.answers ?? [];
      if (!append || answers.length === 0) return { state, actions };
      const named = answers.filter((a) => append.record.members.some(({ workerId }) => workerId === a.workerId));
      const survivors = named.filter((a) => a.hasState && a.finishedStep >= append.record.afterStep - 1);
      const afterStep = Math.min(append.record.afterStep, ...survivors.map(({ finishedStep }) => finishedStep));
      const pending = { ...append.record, afterStep };
      return { state: { ...state, pending }, actions: [{ kind: 'append', record: pending }] };
    }),
  }),
  bug('rule 7: a Begin older than the last Seal is accepted', {
    advanceWorker: (state, input) => {
      const isOld = input.kind === 'message' && input.message.kind === 'begin' && !state.begin;
      if (!isOld) return advanceWorker(state, input);
      const { state: next, actions } = advanceWorker({ ...state, sealed: noGeneration }, input);
      return { state: { ...next, sealed: state.sealed }, actions };
    },
  }),
  bug('rule 8: who is behind runs on without the state', {
    advanceWorker: (state, input) => {
      const { state: next, actions } = advanceWorker(state, input);
      const [action] = actions;
      return action?.kind === 'catch-up'
        ? advanceWorker(next, { kind: 'level', step: action.begin.afterStep })
        : { state: next, actions };
    },
  }),
  bug('rule 9: a leaver is let go at once', {
    ...deciding(({ state, actions }, _before, input) =>
      input.kind === 'leaving'
        ? { state, actions: [...actions, { kind: 'dismissed', workerId: input.workerId, why: 'left' }] }
        : { state, actions },
    ),
  }),
  bug('rule 11: a Seal newer than the newest Begin is overlooked', {
    ...mishearing((input) => {
      const forget = <P extends Progress>(progress: P): P => ({ ...progress, sealed: noGeneration });
      if (input.kind === 'greeted') return { kind: 'greeted', progress: forget(input.progress) };
      const isReport = input.kind === 'message' && input.message.kind === 'progress';
      return isReport && input.message.kind === 'progress'
        ? { kind: 'message', message: forget(input.message) }
        : input;
    }),
  }),
  bug('rule 12: a restarted coordinator goes on in the term of the one before', {
    restoredCoordinator: (options, newest, isEnded) => {
      const restored = restoredCoordinator({ ...options, term: options.term - 1 }, newest, isEnded);
      return advanceCoordinator(restored.state, { kind: 'appended' });
    },
  }),
  bug(
    'rule 12: a lease without fencing, two coordinators write to one journal',
    { mayAppend: () => true },
    { standby: true },
  ),
  bug('rule 6: a record that the journal refused counts as written', {
    ...mishearing((input) => (input.kind === 'append-failed' ? { kind: 'appended' } : input)),
  }),
  bug('a step that was evaluated before is not evaluated again with those that had not', { evaluatesAgain: false }),
  bug('rule 13: silence gives the state up', {
    ...mishearing((input) => (input.kind === 'lost' ? { ...input, mayReturn: false } : input)),
  }),
  bug('rule 16: the End is announced before the final state is stored', {
    ...deciding(({ state, actions }) => ({
      state,
      actions: actions.flatMap((action): CoordinatorAction[] => {
        const { generation } = state.begin ?? { generation: noGeneration };
        const end = (workerId: string) => ({ kind: 'send', workerId, message: { kind: 'end', generation } }) as const;
        return action.kind === 'store' ? [...state.begin!.members.map((m) => end(m.workerId)), action] : [action];
      }),
    })),
  }),
  bug("rule 1: a step finishes without a member's header, as others computed its range", { needsHeaders: false }),
  bug('the generation of a frame is not checked', { frameKey: (_generation, step, from) => `${step}/${from}` }),
];
