import { createHash } from 'node:crypto';
import type { Reduction } from '../collective/reduction.js';
import type { NodeSum } from '../collective/round-plan.js';
import type { Range } from '../collective/ranges.js';
import { coveringNodes } from '../collective/tree.js';
import type { Clock } from '../core/clock.js';
import type { EngineName } from '../engine/engine.js';
import type { ComputeJob } from '../engine/job.js';
import type { PreparedRun, RunEngine } from './prepared-run.js';

/**
 * A range that straggles is computed a second time by the next rank, when that has nothing else to do, and everybody takes
 * the first copy of a node that arrives. Both have the same bits, so no result depends on it, and a step waits for no engine
 * that stands still. Ranges that are slow for long are cut anew (cluster/balance.ts); this is for single steps.
 */

/** Nobody is late by less: disturbances of a machine and its garbage collections are shorter. */
const lateMsMin = 25;
/** From then on peers want to know that we are in the step: whom they have not heard of they do not help. */
const headerMs = 10;
/** Steps before usual times are known. */
const knownSteps = 8;
/** Of unusual steps how far they are from the usual counts by this much, so that it follows what becomes usual. */
const forgetting = 1 / 16;
/** After second computations in vain others wait so many times longer, at most. */
const patienceMax = 16;

/** What there is to do for a step. */
export interface StepWork {
  readonly engine: RunEngine;
  readonly reduction: Pick<Reduction, 'add' | 'addCopy' | 'sendHeader' | 'missingOfNeighbour' | 'isOver' | 'over'>;
  readonly job: ComputeJob;
  /** The range of the rank before this one. */
  readonly neighbour: Range;
  /** Micro-batches of the step. */
  readonly count: number;
  /** Samples of `job`. */
  readonly ownSampleCount: number;
}

/** What computing took, as far as it was for this step. */
export interface StepComputation {
  readonly computeSeconds: number;
  readonly inputSeconds?: number;
  readonly tensorCount: number;
  /** Others had our nodes before us: the engine may still be at it. */
  readonly isLate: boolean;
}

/** What is told of it. */
export interface SecondComputationEvents {
  /** The neighbour's range was computed here, too; `isUsed`: before its own nodes came. */
  copied(reason: 'late' | 'behind', isUsed: boolean): void;
  /** The step was finished with our nodes from the neighbour. */
  helped(): void;
  /** What our engine did for a step that had not waited for it. */
  computedLate(seconds: number, sampleCount: number): void;
}

export interface SecondComputationNeeds {
  readonly clock: Clock;
  readonly log: { info(text: string): void };
  readonly events: SecondComputationEvents;
}

/** One for a worker, for its lifetime. */
export class SecondComputation {
  private bits = 0;
  private engine: RunEngine | undefined;
  private tensorCount = 0;
  /** From the beginning of a step until all peers' nodes are there: the longest, while it is not long ago. */
  private usualMs = 0;
  private known = 0;
  private patience = 1;
  /** Our engine is at work for a step that is over. */
  private isBehind = false;
  /** Of this step: until own nodes were ready; undefined if it says nothing about what is usual. */
  private ownMs: number | undefined;
  private isHelped = false;

  constructor(private readonly needs: SecondComputationNeeds) {}

  /** A generation begins. @returns whether ranges may be computed twice in it */
  begin({ engine, spec }: PreparedRun, worldSize: number): boolean {
    this.engine = engine;
    this.usualMs *= 2; //                                             ranges are others: wait and see
    this.bits = engine.deterministic ? bitsOf(engine.name) : 0;
    const { codec, localSteps, module } = spec; //                    what a codec loses is kept by rank; a module may do anything
    return this.bits > 0 && worldSize > 1 && !codec && !localSteps && !module;
  }

  /** For our header: what our nodes are worth to others, and whether we will be late. */
  get engineWord(): { readonly bits: number; readonly isBehind: boolean } {
    if (!this.engine?.busy) this.isBehind = false;
    return { bits: this.bits, isBehind: this.isBehind };
  }

  /**
   * Own nodes into the reduction, as they are ready, then the neighbour's if they are late.
   *
   * @returns when there is nothing more to do, or the sum is complete without it
   * @throws Abandoned when the generation is sealed, be the engine at work or not; and what the engine throws
   */
  async compute(work: StepWork): Promise<StepComputation> {
    const { engine, reduction, job } = work;
    const { clock } = this.needs;
    const beginMs = clock.nowMs();
    this.ownMs = undefined;
    if (engine.busy) {
      reduction.sendHeader();
      await Promise.race([engine.busy, reduction.over]);
    }
    const isEmpty = job.range.first === job.range.end;
    const computing = reduction.isOver ? undefined : isEmpty ? computeAlone(engine, reduction, job) : this.own(work);
    const computed = await this.announced(computing, reduction);
    if (!computed) {
      this.isBehind = engine.busy !== undefined;
      this.needs.events.helped();
      if (!this.isHelped)
        this.needs.log.info('our engine is late: steps are finished with what another one computed for us');
      this.isHelped = true;
      return { computeSeconds: (clock.nowMs() - beginMs) / 1000, tensorCount: this.tensorCount, isLate: true };
    }
    this.isHelped = false;
    this.tensorCount = computed.tensorCount;
    const ownMs = clock.nowMs() - beginMs;
    const isCopied = !isEmpty && (await this.help(work, beginMs, ownMs));
    if (!isCopied) this.ownMs = ownMs;
    return computed;
  }

  /** The step is finished. @param waitMs - that it took after own nodes were ready */
  finished(waitMs: number): void {
    if (this.ownMs === undefined) return;
    const tookMs = this.ownMs + waitMs;
    this.known += 1;
    this.usualMs =
      tookMs > this.usualMs
        ? Math.min(tookMs, Math.max(2 * this.usualMs, lateMsMin)) //  one long step does not make others late for less
        : this.usualMs + (tookMs - this.usualMs) * forgetting;
  }

  /** Says that we are in the step if our first node does not do it soon. */
  private async announced<Value>(computing: Promise<Value> | undefined, reduction: StepWork['reduction']) {
    const cancel = this.needs.clock.setTimer(headerMs, () => reduction.sendHeader());
    try {
      return await computing;
    } finally {
      cancel();
    }
  }

  /** @returns undefined if the step was over before */
  private async own({ engine, reduction, job, ownSampleCount }: StepWork): Promise<StepComputation | undefined> {
    let isLate = false;
    let added = 0;
    const computing = engine.compute(job, (node) => {
      if (isLate) return;
      added += 1;
      reduction.add(node);
    });
    const computed = await Promise.race([computing, reduction.over]).catch((error: unknown) => {
      isLate = true; //                                               sealed, as a rule
      throw error;
    });
    if (computed) {
      for (const node of computed.nodes.slice(added)) reduction.add(node);
      return { ...computed, isLate: false };
    }
    isLate = true;
    const { events } = this.needs;
    const told = computing.then(({ computeSeconds }) => events.computedLate(computeSeconds, ownSampleCount));
    told.catch(() => undefined); //                                   whoever wants the engine next hears of it
    return undefined;
  }

  /** Waits until the neighbour's nodes are there or late, and computes those that are. @returns whether it did */
  private async help(work: StepWork, beginMs: number, ownMs: number): Promise<boolean> {
    const { reduction, job, neighbour } = work;
    const { clock, log } = this.needs;
    const length = (range: Range): number => range.end - range.first;
    const copyMs = (ownMs * length(neighbour)) / length(job.range);
    const lateMs = Math.max(lateMsMin, this.usualMs + copyMs) * this.patience;
    for (;;) {
      if (reduction.isOver) return false;
      const late = reduction.missingOfNeighbour;
      if (late?.nodes.length === 0) return false;
      const passedMs = clock.nowMs() - beginMs;
      if (late?.isBehind || (late && this.known >= knownSteps && passedMs >= lateMs)) {
        const reason = late.isBehind ? 'behind' : 'late';
        if (reason === 'late') {
          const [waited, usual] = [passedMs, this.usualMs].map(Math.round);
          log.info(`rank ${late.rank} is late, ${waited} ms where ${usual} are usual: its range is computed here, too`);
        }
        await this.copy(work, late.nodes, reason);
        return true;
      }
      await this.waitFor(reduction, Math.max(lateMsMin, lateMs - passedMs));
    }
  }

  /** One node after the other, as long as they are missing. */
  private async copy(work: StepWork, nodes: readonly number[], reason: 'late' | 'behind'): Promise<void> {
    const { engine, reduction, job, neighbour, count } = work;
    const spans = coveringNodes(neighbour, count);
    const isMissing = (node: number): boolean => reduction.missingOfNeighbour?.nodes.includes(node) ?? false;
    let isUsed = false;
    for (const index of nodes) {
      if (reduction.isOver || !isMissing(index)) continue;
      const computing = engine.compute({ ...job, range: spans[index]!, keepsNodes: true });
      const computed = await Promise.race([computing, reduction.over]);
      if (!computed || reduction.isOver || !isMissing(index)) continue;
      isUsed = true;
      for (const node of computed.nodes) reduction.addCopy(index, node);
    }
    this.needs.events.copied(reason, isUsed);
    if (reason === 'behind') return;
    this.patience = isUsed ? Math.max(1, this.patience / 2) : Math.min(patienceMax, this.patience * 2);
  }

  private async waitFor({ over }: StepWork['reduction'], ms: number): Promise<void> {
    let cancel = (): void => undefined;
    const timer = new Promise<void>((resolve) => (cancel = this.needs.clock.setTimer(ms, resolve)));
    await Promise.race([timer, over]).finally(() => cancel());
  }
}

/**
 * Where this number is the same, any node has the same bits: what runs op by op leaves some functions to Node.js, which
 * differ between its versions and between processors.
 */
function bitsOf(engine: EngineName): number {
  const kernels = engine === 'native' ? 'wasm' : engine; //           the same source, compiled twice
  const facts = `${kernels}/${process.arch}/${process.versions.node}`;
  return createHash('sha256').update(facts).digest().readUInt32LE() || 1;
}

/** Own nodes into the reduction, as they are ready. */
export async function computeAlone(
  engine: RunEngine,
  reduction: { add(node: NodeSum): void },
  job: ComputeJob,
): Promise<StepComputation> {
  let added = 0;
  const computed = await engine.compute(job, (node) => {
    added += 1;
    reduction.add(node);
  });
  for (const node of computed.nodes.slice(added)) reduction.add(node);
  return { ...computed, isLate: false };
}
