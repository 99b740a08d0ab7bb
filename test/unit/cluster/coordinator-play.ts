import assert from 'node:assert/strict';
import {
  advanceCoordinator,
  newCoordinator,
  restoredCoordinator,
  type CoordinatorAction,
  type CoordinatorInput,
  type MembershipOptions,
} from '../../../src/cluster/coordinator-membership.js';
import type { Begin, Generation, Progress } from '../../../src/cluster/messages.js';

const member = (name: string) => ({ workerId: name, address: `${name}:1` });

/** A coordinator that is told one thing after the other, and says in words what it does about each. */
export function play(options: Omit<MembershipOptions, 'term'>) {
  return conversation(newCoordinator({ ...options, term: 1 }));
}

/** The coordinator of term 2, after that of term 1 had announced `begin`. Its term is not in the journal yet. */
export function restarted(options: Omit<MembershipOptions, 'term'>, begin: Begin | undefined, isEnded = false) {
  const { state, actions } = restoredCoordinator({ ...options, term: 2 }, begin, isEnded);
  assert.deepEqual(actions.map(inWords), ['journal term']);
  return conversation(state);
}

/** Two workers, running under generation 1. */
export function running(minWorkers = 2) {
  const c = play({ worldSize: 2, minWorkers, lastStep: 10, failOnLoss: minWorkers === 2 });
  c.feed(c.join('a'));
  assert.deepEqual(c.feed(c.join('b')), ['seal 1 to a', 'seal 1 to b']);
  assert.deepEqual(c.feed(c.sealed('a', 1, 0)), []);
  assert.deepEqual(c.feed(c.sealed('b', 1, 0)), ['journal begin 1: a,b, donor 0']);
  assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 1 to a: after 0 until 10', 'begin 1 to b: after 0 until 10']);
  return c;
}

/** What was announced to `names` as generation `number` of term 1. */
export function beginOf(number: number, names: readonly string[], afterStep: number, lastStep = 10): Begin {
  return {
    kind: 'begin',
    generation: { term: 1, number },
    members: names.map(member),
    shares: names.map(() => 1),
    donor: 0,
    afterStep,
    lastStep,
  };
}

function conversation(initial: ReturnType<typeof newCoordinator>) {
  let state = initial;
  const g = (number: number): Generation => ({ term: state.options.term, number });
  const progressOf = (workerId: string, generation: Generation, sealed: Generation, step: number): Progress => ({
    kind: 'progress',
    workerId,
    generation,
    finishedStep: step,
    sealed,
  });
  return {
    get state() {
      return state;
    },
    feed(input: CoordinatorInput): readonly string[] {
      const outcome = advanceCoordinator(state, input);
      state = outcome.state;
      return outcome.actions.map(inWords);
    },
    join: (name: string) => ({ kind: 'joined', member: member(name) }) as const,
    lost: (workerId: string, mayReturn = false) => ({ kind: 'lost', workerId, reason: 'gone', mayReturn }) as const,
    leaving: (workerId: string) => ({ kind: 'leaving', workerId }) as const,
    /** Back after its stream broke; generations by [term, number]. */
    greet: (
      workerId: string,
      generation: [number, number],
      sealed: [number, number],
      step: number,
      digest?: string,
    ) => {
      const of = ([term, number]: [number, number]): Generation => ({ term, number });
      const base = progressOf(workerId, of(generation), of(sealed), step);
      const ended = digest === undefined ? {} : { ended: { weightsDigest: digest, targetReached: false } };
      return { kind: 'greeted', progress: { ...base, ...ended } } as const;
    },
    sealed: (workerId: string, number: number, finishedStep: number, hasState = true) =>
      ({
        kind: 'message',
        message: { kind: 'sealed', workerId, generation: g(number), finishedStep, hasState },
      }) as const,
    progress: (workerId: string, number: number, finishedStep: number, digest?: string) => {
      const base = progressOf(workerId, g(number), g(number), finishedStep);
      const ended = digest === undefined ? {} : { ended: { weightsDigest: digest, targetReached: false } };
      return { kind: 'message', message: { ...base, ...ended } } as const;
    },
  };
}

function inWords(action: CoordinatorAction): string {
  switch (action.kind) {
    case 'send': {
      const { message, workerId } = action;
      if (message.kind !== 'begin') return `${message.kind} ${message.generation.number} to ${workerId}`;
      return `begin ${message.generation.number} to ${workerId}: after ${message.afterStep} until ${message.lastStep}`;
    }
    case 'append':
      return action.record.kind === 'begin'
        ? `journal begin ${action.record.generation.number}: ${action.record.members.map((m) => m.workerId).join()}, donor ${action.record.donor}`
        : `journal ${action.record.kind}`;
    case 'store':
      return `store ${action.step} from ${action.member.workerId}`;
    case 'fail':
      return `fail ${action.error.code}`;
    case 'dismissed':
      return `${action.workerId} ${action.why}`;
    case 'log':
      return action.text.startsWith('waiting') ? action.text : 'log';
    case 'finish':
      return action.kind;
  }
}
