import type { PhaseSeconds, StepTiming } from '../core/events.js';
import { nameOfWorker } from '../core/worker-id.js';
import { ClockAlignment } from './clock-alignment.js';
import type { Lane, LaneStep } from './picture.js';

/** Steps that are shown of all workers together, and of one at least and at most. */
const recentOfAll = 360;
const recentMin = 6;
const recentMax = 30;
/** Times that a worker came and went, of which the picture tells: the newest. */
const presentMax = 16;
/** Names that are gone are forgotten, the oldest first, when there are more: workers may come under new names for ever. */
const goneMax = 64;
/** How fast the weight of earlier steps fades in "for whom it waits lately": by a half in about 30 steps. */
const fading = 0.977;

interface LaneState {
  readonly worker: string;
  rank: number | null;
  present: { from: number; to: number | null }[];
  seconds: PhaseSeconds;
  steps: number;
  waitedForSeconds: number;
  /** Lately, by the rank of the other. */
  waitedByRank: Map<number, number>;
  recent: LaneStep[];
}

/** A step of a worker as it is told to who draws or writes it. */
export interface PlacedStep extends LaneStep {
  readonly worker: string;
  /** Who came last, by name; undefined for nobody. */
  readonly slowest: string | undefined;
}

/** A lane for each worker: when it was there, where its time goes, and for whom it waits. Bounded. */
export class Lanes {
  private readonly lanes = new Map<string, LaneState>();
  private readonly clocks = new ClockAlignment();
  /** Names by rank in the current generation, and the step after which it began. */
  private members: readonly string[] = [];
  private afterStep = 0;

  /** A generation begins. @param workerIds - by rank */
  began(workerIds: readonly string[], afterStep: number): void {
    const names = workerIds.map(nameOfWorker);
    for (const [worker, lane] of this.lanes) {
      if (lane.rank !== null && !names.includes(worker)) this.end(lane, afterStep);
    }
    for (const [rank, worker] of names.entries()) {
      const lane = this.lanes.get(worker) ?? this.open(worker);
      if (lane.rank === null) lane.present = [...lane.present.slice(1 - presentMax), { from: afterStep, to: null }];
      lane.rank = rank;
      lane.waitedByRank = new Map();
    }
    this.members = names;
    this.afterStep = afterStep;
    this.forgetOldest();
  }

  /** The run is over after `step`: whoever is a member was one to the end. */
  ended(step: number): void {
    for (const { present } of this.lanes.values()) for (const stay of present) stay.to ??= step;
  }

  /**
   * A worker tells of its steps.
   *
   * @param sentAtMs - by its clock @param receivedAtMs - by ours
   * @returns the steps on our clock
   */
  heard(
    workerId: string,
    sentAtMs: number,
    receivedAtMs: number,
    timings: readonly StepTiming[],
  ): readonly PlacedStep[] {
    this.clocks.heard(workerId, sentAtMs, receivedAtMs);
    const lane = this.lanes.get(nameOfWorker(workerId));
    if (!lane) return [];
    const placed = timings.map((timing) => this.place(workerId, lane, timing));
    lane.recent = [...lane.recent, ...placed.map(({ step, beginMs, ms }) => ({ step, beginMs, ms }))].slice(-recentMax);
    return placed;
  }

  departed(workerId: string): void {
    this.clocks.forget(workerId);
  }

  picture(): readonly Lane[] {
    const shown = Math.max(recentMin, Math.min(recentMax, Math.floor(recentOfAll / Math.max(1, this.lanes.size))));
    return [...this.lanes.values()].map(({ waitedByRank, recent, seconds, ...lane }) => ({
      ...lane,
      seconds: roundedSeconds(seconds),
      waitedForSeconds: rounded(lane.waitedForSeconds),
      waitsFor: this.members[rankOfMost(waitedByRank)] ?? null,
      recent: recent.slice(-shown),
    }));
  }

  private place(workerId: string, lane: LaneState, { step, beginMs, seconds, slowestRank }: StepTiming): PlacedStep {
    lane.seconds = addedSeconds(lane.seconds, seconds);
    lane.steps += 1;
    // Ranks are those of the current generation only for its own steps.
    const slowest = step > this.afterStep ? this.members[slowestRank] : undefined;
    if (slowest !== undefined) {
      this.lanes.get(slowest)!.waitedForSeconds += seconds.wait;
      for (const [rank, waited] of lane.waitedByRank) lane.waitedByRank.set(rank, waited * fading);
      lane.waitedByRank.set(slowestRank, (lane.waitedByRank.get(slowestRank) ?? 0) + seconds.wait);
    }
    const { compute, wait, exchange, update } = seconds;
    const [c, w, e, u] = [compute, wait, exchange, update].map((s) => Math.round(s * 1e6) / 1e3);
    const ours = Math.round(this.clocks.toOurs(workerId, beginMs) * 1e3) / 1e3;
    return { worker: lane.worker, step, beginMs: ours, ms: [c!, w!, e!, u!], slowest };
  }

  private open(worker: string): LaneState {
    const lane: LaneState = {
      worker,
      rank: null,
      present: [],
      seconds: { compute: 0, wait: 0, exchange: 0, update: 0 },
      steps: 0,
      waitedForSeconds: 0,
      waitedByRank: new Map(),
      recent: [],
    };
    this.lanes.set(worker, lane);
    return lane;
  }

  private end(lane: LaneState, step: number): void {
    lane.rank = null;
    const last = lane.present.at(-1);
    if (last) last.to = step;
  }

  private forgetOldest(): void {
    const gone = [...this.lanes.values()].filter(({ rank }) => rank === null);
    for (const { worker } of gone.slice(0, Math.max(0, gone.length - goneMax))) this.lanes.delete(worker);
  }
}

function rankOfMost(waited: ReadonlyMap<number, number>): number {
  const [[rank] = [-1]] = [...waited].sort(([, a], [, b]) => b - a);
  return rank;
}

function addedSeconds(a: PhaseSeconds, b: PhaseSeconds): PhaseSeconds {
  return {
    compute: a.compute + b.compute,
    input: (a.input ?? 0) + (b.input ?? 0),
    wait: a.wait + b.wait,
    exchange: a.exchange + b.exchange,
    update: a.update + b.update,
  };
}

function roundedSeconds({ compute, input = 0, wait, exchange, update }: PhaseSeconds): PhaseSeconds {
  const own = { compute: rounded(compute), ...(input > 0 ? { input: rounded(input) } : {}) };
  return { ...own, wait: rounded(wait), exchange: rounded(exchange), update: rounded(update) };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1e4) / 1e4;
}
