import { randomBytes } from 'node:crypto';
import { fault } from '../agent/faults.js';
import { slotCount } from '../agent/queue.js';
import { flagWords } from '../config/sources.js';
import { prepareSpec } from '../coordinator/prepare.js';
import type { SharedData } from '../lab/shared-data.js';
import type { PlannedTrial, Train } from '../lab/sweep.js';
import { TrialOfEvents, type TrialFacts } from '../lab/trial-of-events.js';
import { demandAccuracy } from '../lab/trial-record.js';
import type { NatsAccess } from '../transport/nats/connection.js';
import type { RunLedger } from '../transport/nats/run-ledger.js';
import { askToStop, follow, submit, withLedger, type Say } from './queued-runs.js';
import { readEventsInNats } from './run-source.js';

/** As `lockstep launch` has it. */
const priority = 5;

/** The queue of a NATS server, for the trials of one command. */
export interface Queue {
  readonly train: Train;
  /** Slots of all agents that there are, at least 1: more trials at a time would only wait. */
  readonly slots: number;
}

/**
 * Trials that are queued as runs, and take slots of agents as those of `lockstep launch` do. A trial that is in the queue, or
 * over, from an earlier command is not queued again.
 *
 * @param say - told what happens to the connection, and what waits
 */
export function withQueue<Result>(
  access: NatsAccess,
  data: SharedData,
  say: Say,
  work: (queue: Queue) => Promise<Result>,
): Promise<Result> {
  return withLedger(access, say, async (ledger) => {
    const slots = Math.max(1, slotCount(await ledger.nodes.list()));
    const train: Train = async (trial, rules, onEvaluation) => {
      const facts = await factsOfTrial(trial, data);
      const run = (await earlierRun(trial, ledger)) ?? (await queued(trial, ledger));
      const seen = new TrialOfEvents(facts, rules, onEvaluation);
      let told = '';
      const record = await follow(access, ledger, run, new AbortController().signal, {
        changed: ({ state, why = '' }) => {
          if (state === 'queued' && why !== told) say(`  run ${run} waits: ${(told = why)}`);
        },
        happened: (event) => {
          seen.add(event);
          if (seen.isToEnd) void askToStop(ledger, run);
        },
      });
      for await (const event of readEventsInNats(access, run, '0', false, new AbortController().signal, quiet))
        seen.add(event); //                                            what came with the end
      const outcome = seen.outcome(record?.state === 'stopped' ? seen.isToEnd : undefined);
      const hasEnded = record?.state === 'finished' || outcome.end === 'diverged' || seen.isToEnd !== undefined;
      if (!hasEnded) throw fault('LAUNCH_FAILED', { run, why: record?.why ?? 'it was stopped' });
      return outcome;
    };
    return work({ train, slots });
  });
}

const quiet = { info: () => undefined, warn: () => undefined };

async function factsOfTrial({ config, key }: PlannedTrial, data: SharedData): Promise<TrialFacts> {
  const { spec, layout } = await prepareSpec(config, key, undefined, { findDataset: data.find });
  demandAccuracy(spec);
  return {
    workers: config.workers,
    globalBatchSize: spec.globalBatchSize,
    microBatchSize: spec.microBatchSize,
    learningRate: spec.learningRate,
    trainLength: spec.dataset.trainLength,
    parameterCount: layout.parameterCount,
    hasHeldOut: spec.dataset.validationLength !== undefined,
  };
}

/** Of the same trial, unless it came to nothing. A run that is queued again has a new name: NATS knows the journal of the old one. */
async function earlierRun({ key }: PlannedTrial, ledger: RunLedger): Promise<string | undefined> {
  const all = (await ledger.runs.list()).map(({ value }) => value);
  const own = all.filter(
    ({ name, state }) => name.startsWith(`trial-${key}-`) && state !== 'failed' && state !== 'stopped',
  );
  return own[0]?.name;
}

async function queued({ key, flags, config }: PlannedTrial, ledger: RunLedger): Promise<string> {
  const name = `trial-${key}-${randomBytes(4).toString('hex')}`;
  const { workers } = config;
  const given = new Map([...flags].filter(([field]) => field !== 'workers'));
  await submit({ name, workers, maxWorkers: workers, priority, flags: flagWords(given) }, ledger);
  return name;
}
