import type { NatsConnection } from 'nats';
import type { Clock } from '../../core/clock.js';
import { Bucket } from './bucket.js';

const bucketName = 'lockstep-leases';
/** A lease that is not renewed is free after this: a standby takes over within 5 s of a coordinator's death. */
const ttlMs = 2_500;
const renewMs = 700;

/** Who leads a run, as everybody can look it up. */
export interface LeaseHolder {
  /** A process. */
  readonly holder: string;
  /** `host:port` of the coordinator; empty while it prepares itself. */
  readonly address: string;
}

/** The bucket that says who leads which run. */
export class Leases {
  private constructor(
    private readonly bucket: Bucket<LeaseHolder>,
    private readonly clock: Clock,
  ) {}

  static async open(connection: NatsConnection, clock: Clock): Promise<Leases> {
    return new Leases(await Bucket.open(connection, bucketName, ttlMs), clock);
  }

  /** Who leads the run at the moment, as far as its lease has not run out. */
  async holderOf(run: string): Promise<LeaseHolder | undefined> {
    return (await this.bucket.get(run))?.value;
  }

  /** @returns undefined if somebody else leads the run */
  async acquire(run: string, holder: string): Promise<Lease | undefined> {
    const value: LeaseHolder = { holder, address: '' };
    const revision = await this.bucket.create(run, value);
    return revision === undefined ? undefined : new Lease(this.bucket, this.clock, run, value, revision);
  }
}

/**
 * The right to lead a run, renewed until it is released or lost. It decides who tries, not who may act: a coordinator that
 * was stopped for a while believes in a lease that it no longer has, and only the journal's sequence number stops it.
 */
export class Lease {
  /** Higher than that of every lease of the run before: the least term of whoever holds it. */
  readonly token: number;
  private cancelTimer: () => void = () => undefined;
  private isOver = false;
  private onLost: (holder: string) => void = () => undefined;

  constructor(
    private readonly bucket: Bucket<LeaseHolder>,
    private readonly clock: Clock,
    private readonly run: string,
    private value: LeaseHolder,
    private revision: number,
  ) {
    this.token = revision;
    this.schedule();
  }

  /** From now on workers find the coordinator there. @param onLost - called once, when somebody else holds the lease */
  async publish(address: string, onLost: (holder: string) => void): Promise<void> {
    this.onLost = onLost;
    this.value = { ...this.value, address };
    await this.renew();
  }

  /** Gives it back, so that a successor need not wait until it runs out. */
  async release(): Promise<void> {
    if (this.isOver) return;
    this.end();
    await this.bucket.delete(this.run, this.revision).catch(() => undefined); // it runs out by itself, too
  }

  private end(): void {
    this.isOver = true;
    this.cancelTimer();
  }

  private schedule(): void {
    this.cancelTimer();
    if (!this.isOver) this.cancelTimer = this.clock.setTimer(renewMs, () => void this.renew());
  }

  private async renew(): Promise<void> {
    try {
      const revision = await this.bucket.update(this.run, this.value, this.revision);
      if (revision === undefined) await this.regain();
      else this.revision = revision;
    } catch {
      // The server is out of reach: next time again.
    }
    this.schedule();
  }

  /** It ran out while the server was out of reach, or somebody has taken it. */
  private async regain(): Promise<void> {
    const current = await this.bucket.get(this.run);
    if (current && current.value.holder !== this.value.holder) {
      this.end();
      return this.onLost(current.value.holder);
    }
    this.revision = current?.revision ?? (await this.bucket.create(this.run, this.value)) ?? this.revision;
  }
}
