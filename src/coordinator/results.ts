import type { Begin, Member, Progress } from '../cluster/messages.js';
import type { Report } from '../cluster/session.js';
import type { Clock } from '../core/clock.js';
import { weightsDigest } from '../core/digest.js';
import type { EvaluationRecord, RunEvent, RunReport, StepRecord } from '../core/events.js';
import type { RunSpec } from '../core/run-spec.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import type { StateSnapshot } from '../transport/grpc/exchange-server.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { fault } from './faults.js';
import { inexactBySpec } from './inexact.js';
import type { JournalEntry } from './journal.js';
import type { RunRecord } from './run-record.js';

/** Where a run's results go. */
export interface RunStore {
  /** Resolves when the record is on the disk. */
  appendJournal(entry: JournalEntry): Promise<void>;
  appendMetrics(record: StepRecord | EvaluationRecord): void;
  saveBest(step: number, weights: Float32Array): Promise<void>;
  saveFinal(step: number, weights: Float32Array): Promise<void>;
  /** The whole training state. @param seconds - that the run has taken so far */
  saveCheckpoint(step: number, snapshot: StateSnapshot, seconds: number): Promise<void>;
  /** Of one that a worker has written into the shared folder. */
  linkCheckpoint(step: number): Promise<void>;
  saveReport(report: RunReport): Promise<void>;
}

export interface ResultsNeeds {
  readonly spec: RunSpec;
  readonly store: RunStore;
  /** Connections to workers, which hold the states. */
  readonly peers: Pick<ExchangeClients, 'pullState'>;
  readonly record: RunRecord;
  /** Steps of the best weights and the newest checkpoint that are on the disk already; default: none. */
  readonly savedBestStep?: number;
  readonly savedCheckpointStep?: number;
  /** That the run has taken so far. */
  secondsTotal(): number;
  readonly clock: Clock;
  readonly show: (event: RunEvent) => void;
  readonly log: { warn(text: string): void };
}

/** What the report says besides what was recorded. */
export type ReportContext = Pick<
  RunReport,
  | 'outcome'
  | 'worldSize'
  | 'parameterCount'
  | 'engine'
  | 'bitExact'
  | 'bitExactReason'
  | 'secondsTotal'
  | 'out'
  | 'resumeWith'
>;

/** Fetches states from workers and stores them. */
export class Results {
  private savingBest: Promise<void> = Promise.resolve();
  private savedBestStep: number;
  private hasMissedBest: boolean;

  private readonly checkpoints: CheckpointKeeper;

  constructor(private readonly needs: ResultsNeeds) {
    this.savedBestStep = needs.savedBestStep ?? 0;
    const { savedBestStep } = needs; //                                without it nobody holds weights of an earlier process
    this.hasMissedBest = savedBestStep !== undefined && (needs.record.bestStep ?? 0) > savedBestStep;
    this.checkpoints = new CheckpointKeeper({
      ...needs,
      savedStep: needs.savedCheckpointStep ?? 0,
      save: (step, snapshot) =>
        needs.spec.checkpointDir === undefined
          ? needs.store.saveCheckpoint(step, snapshot, needs.secondsTotal())
          : needs.store.linkCheckpoint(step),
      writesItself: needs.spec.checkpointDir !== undefined,
      recordedStep: () => needs.record.recordedStep,
    });
  }

  /** Fetches the checkpoint that a member's report offers, if it does, while the run goes on. */
  saveCheckpoint(begin: Begin | undefined, { workerId, generation, checkpointStep: step }: Report): void {
    const member = begin?.members.find((m) => m.workerId === workerId);
    if (member && step !== undefined) this.checkpoints.offer({ member, generation, step });
  }

  /** @returns when nothing is being written any more */
  async close(): Promise<void> {
    await this.checkpoints.close();
  }

  /** The coordinator before us was gone before it had fetched them: as soon as rank 0 is there. */
  saveMissedBest(begin: Begin, workerId: string): void {
    if (!this.hasMissedBest || begin.members[0]!.workerId !== workerId) return;
    this.hasMissedBest = false;
    this.saveBest(begin, this.needs.record.bestStep!);
  }

  /** Weights of the best evaluation, fetched while the run goes on; one after the other. */
  saveBest(begin: Begin, step: number): void {
    this.savingBest = this.savingBest.then(async () => {
      if (this.savedBestStep >= step) return;
      try {
        const { best, weights } = await this.fetchBest(begin, step);
        await this.needs.store.saveBest(best, weights);
        this.savedBestStep = best;
      } catch (error) {
        this.needs.log.warn(`the best weights so far, of step ${step}, were not saved: ${(error as Error).message}`);
      }
    });
  }

  /**
   * Every member keeps them, so that they are lost with none of them. Those that come may be of a later evaluation that
   * was better still, which we have not been told of yet; those of an earlier one are of a member that was away.
   */
  private async fetchBest(
    { members, generation }: Begin,
    step: number,
  ): Promise<{ best: number; weights: Float32Array }> {
    let failure: Error | undefined;
    for (const { address } of members) {
      try {
        const snapshot = await this.needs.peers.pullState(address, generation, { what: 'best', step });
        const { step: best } = JSON.parse(snapshot.description) as { step: number };
        if (best >= step) return { best, weights: weightsOf(snapshot) };
      } catch (error) {
        failure = error as Error;
      }
    }
    throw failure ?? new Error('no member has them');
  }

  /**
   * Fetches the final state from `member` and stores everything that a run leaves.
   *
   * @throws LockstepError `STATE_UNAVAILABLE`, `STATE_DAMAGED`, and what the store throws
   */
  async storeFinal(member: Member, progress: Progress, context: () => ReportContext): Promise<RunReport> {
    const { spec, store, peers, record } = this.needs;
    const step = progress.finishedStep;
    const snapshot = await peers.pullState(member.address, progress.generation, { what: 'training', step });
    const weights = weightsOf(snapshot);
    const expected = progress.ended!.weightsDigest;
    const digest = weightsDigest(weights);
    if (digest !== expected) throw fault('STATE_DAMAGED', { worker: member.workerId, expected, actual: digest });
    await this.savingBest;
    await this.checkpoints.close(); //                                the final state takes the place of what is under way
    if (record.bestStep === step && this.savedBestStep !== step) await store.saveBest(step, weights);
    await store.saveCheckpoint(step, snapshot, this.needs.secondsTotal());
    await store.saveFinal(step, weights);
    const report: RunReport = {
      formatVersion: 1,
      runId: spec.runId,
      steps: step,
      ...record.summary(),
      globalBatchSize: record.globalBatchSize ?? spec.globalBatchSize,
      microBatchSize: spec.microBatchSize,
      model: spec.model.name,
      optimizer: spec.optimizer.name,
      weightsDigest: digest,
      ...context(),
      ...inexactBySpec(spec),
    };
    await store.saveReport(report);
    return report;
  }
}

function weightsOf(snapshot: StateSnapshot): Float32Array {
  return snapshot.vectors.find(({ name }) => name === 'weights')?.values ?? new Float32Array(0);
}
