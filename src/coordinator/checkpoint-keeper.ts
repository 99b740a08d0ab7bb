import type { Generation, Member } from '../cluster/messages.js';
import type { Clock } from '../core/clock.js';
import type { RunEvent } from '../core/events.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import type { StateSnapshot } from '../transport/grpc/exchange-server.js';

/** A worker holds a copy of the state after `step` for us. */
export interface CheckpointOffer {
  readonly member: Member;
  readonly generation: Generation;
  readonly step: number;
}

export interface CheckpointKeeperNeeds {
  readonly peers: Pick<ExchangeClients, 'pullState'>;
  save(step: number, snapshot: StateSnapshot): Promise<void>;
  /** Whether workers write checkpoints themselves: `save` has no vectors then. Default: false. */
  readonly writesItself?: boolean;
  /** That the run has taken so far. */
  secondsTotal(): number;
  /** The last step whose record is among the metrics: a checkpoint is not written before those of its steps. */
  recordedStep(): number;
  /** Of the newest checkpoint that is on the disk already; default: none. */
  readonly savedStep?: number;
  readonly clock: Clock;
  readonly show: (event: RunEvent) => void;
}

/** How often it looks whether the records have come: they do within the time in which workers collect reports. */
const recordsMs = 50;

/**
 * Fetches and stores the checkpoints that workers offer, one after the other, while training goes on. When the disk is
 * slow the newest offer counts and those between are left out; what fails is told, and the next one is tried.
 */
export class CheckpointKeeper {
  private waiting: CheckpointOffer | undefined;
  private saving: Promise<void> | undefined;
  private readonly abort = new AbortController();
  private savedStep: number;

  constructor(private readonly needs: CheckpointKeeperNeeds) {
    this.savedStep = needs.savedStep ?? 0;
  }

  offer(offer: CheckpointOffer): void {
    if (this.abort.signal.aborted) return;
    this.waiting = offer;
    this.saving ??= this.saveAll().finally(() => (this.saving = undefined));
  }

  /** The final state takes the place of what is under way. @returns when nothing is being written any more */
  async close(): Promise<void> {
    this.abort.abort();
    this.waiting = undefined;
    await this.saving;
  }

  private async saveAll(): Promise<void> {
    for (let offer = this.take(); offer; offer = this.take()) {
      try {
        await this.save(offer);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.needs.show({ type: 'checkpoint-failed', step: offer.step, reason });
      }
    }
  }

  private take(): CheckpointOffer | undefined {
    const offer = this.waiting;
    this.waiting = undefined;
    return offer;
  }

  private async save({ member, generation, step: offered }: CheckpointOffer): Promise<void> {
    const { peers, clock } = this.needs;
    if (offered <= this.savedStep) return; //                        it came along with an earlier offer
    const beginMs = clock.nowMs();
    const write = this.needs.writesItself ? { write: { seconds: this.needs.secondsTotal() } } : {};
    const request = { what: 'checkpoint', step: offered, ...write } as const;
    const snapshot = await peers.pullState(member.address, generation, request, this.abort.signal);
    const { step } = JSON.parse(snapshot.description) as { step: number }; // a later one, if we were slow
    while (this.needs.recordedStep() < step && !this.abort.signal.aborted) await this.pause();
    if (this.abort.signal.aborted) return;
    await this.needs.save(step, snapshot);
    this.savedStep = step;
    this.needs.show({ type: 'checkpoint', step, seconds: (clock.nowMs() - beginMs) / 1000 });
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => void this.needs.clock.setTimer(recordsMs, resolve));
  }
}
