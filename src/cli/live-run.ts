import type { Begin } from '../cluster/messages.js';
import type { RunWatch } from '../coordinator/run-watch.js';
import type { Clock } from '../core/clock.js';
import type { RunEvent, RunReport } from '../core/events.js';
import { nameOfWorker } from '../core/worker-id.js';
import { Audience } from '../live/audience.js';
import { frozenPage, readPage } from '../live/page.js';
import type { PublicEvent } from '../live/public-events.js';
import { Recorder } from '../live/recorder.js';
import { liveRoutes } from '../live/routes.js';
import { TraceFile } from '../live/trace.js';
import type { CoordinatorMetrics } from '../metrics/index.js';

export interface LiveRunNeeds {
  readonly runId: string;
  /** As in spec.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly metrics: CoordinatorMetrics;
  readonly clock: Clock;
  /** Since 1970. */
  readonly wallTimeMs: () => number;
  readonly log: { info(text: string): void; warn(text: string): void };
}

/** Everybody who looks on while a run goes: metrics, the live page and its events, and a trace if one is wanted. */
export class LiveRun {
  readonly recorder: Recorder;
  readonly route: ReturnType<typeof liveRoutes>;
  private readonly page = readPage();
  private readonly audience: Audience;
  /** Of the workers that are here, by id, in the order in which they came. */
  private readonly metricsAddresses = new Map<string, string>();
  private trace: TraceFile | undefined;
  private begin: Begin | undefined;

  constructor(private readonly needs: LiveRunNeeds) {
    this.recorder = new Recorder(needs);
    this.audience = new Audience(this.recorder, needs.clock);
    this.route = liveRoutes({
      recorder: this.recorder,
      audience: this.audience,
      page: this.page,
      workers: () => [...this.metricsAddresses.values()],
    });
    this.recorder.events.listen((event) => this.trace?.event(event, needs.clock.nowMs()));
  }

  /** From now on events are kept elsewhere, too, and those after `sequence` that were told before. */
  keepEvents(keep: (event: PublicEvent) => void, sequence = 0): void {
    for (const event of this.recorder.events.since(sequence)) keep(event);
    this.recorder.events.listen(keep);
  }

  /** From now on steps and events go to a trace, too. */
  async traceTo(path: string): Promise<void> {
    this.trace = await TraceFile.create(path);
  }

  observe(event: RunEvent): void {
    this.needs.metrics.observe(event);
    this.recorder.observe(event);
  }

  /** What the coordinator tells of its workers. */
  get watch(): RunWatch {
    const { recorder, metrics, needs } = { ...this, metrics: this.needs.metrics };
    return {
      arrived: ({ workerId, host, metricsAddress }, isMember) => {
        this.metricsAddresses.set(workerId, metricsAddress);
        recorder.arrived(workerId, host, isMember);
      },
      departed: (workerId, cause, reason) => {
        this.metricsAddresses.delete(workerId);
        metrics.workersLost.inc({ cause });
        needs.log.info(`worker ${workerId} is gone: ${reason}`);
        recorder.departed(workerId, cause, reason);
      },
      began: (begin) => {
        if (begin.generation.number === this.begin?.generation.number) return;
        this.begin = begin;
        const ids = begin.members.map(({ workerId }) => workerId);
        metrics.observeMembers(ids.map(nameOfWorker));
        recorder.began(begin.generation.number, ids, begin.afterStep);
      },
      heartbeat: (workerId, { sentAtMs, timings }, receivedAtMs) => {
        const placed = recorder.heard(workerId, sentAtMs, receivedAtMs, timings);
        for (const { slowest, ms } of placed)
          if (slowest !== undefined) needs.metrics.memberWaitedFor.inc({ worker: slowest }, ms[1] / 1000);
        this.trace?.steps(placed);
      },
    };
  }

  /** What is left of it when the run is over: the page with its last picture, and the picture. */
  freeze(report: RunReport): { readonly page: string; readonly picture: unknown } {
    this.recorder.observe({ type: 'result', ...report });
    const picture = this.recorder.picture();
    return { page: frozenPage(this.page, picture), picture };
  }

  async close(): Promise<void> {
    await this.audience.close();
    await this.trace?.close();
    if (this.trace?.failure !== undefined) this.needs.log.warn(`the trace is not whole: ${this.trace.failure}`);
  }
}
