import type { Member } from '../cluster/messages.js';
import type { Channel, FromCoordinator, FromWorker, Hello, Ready } from '../cluster/session.js';
import { numericsVersion, protocolVersion } from '../core/versions.js';
import { fault } from './faults.js';
import { refuse } from './refusal.js';

/** A worker that said Hello and was let in. */
export interface WorkerSession {
  readonly hello: Hello;
  readonly channel: Channel<FromCoordinator, FromWorker>;
  /** Once it can take part. */
  ready?: Ready;
  /** Why it gave up, in its own words. */
  farewell?: string;
}

/** Who is here, and whether a newcomer may be. */
export class WorkerSessions {
  private readonly sessions = new Map<string, WorkerSession>();
  /** What every worker said that was ever ready; the first of them is what the others are compared with. */
  private readonly everReady: Ready[] = [];

  constructor(
    private readonly runId: string,
    /** Workers that may be here at the same time. */
    private readonly limit: number,
  ) {}

  /** @throws LockstepError `VERSION_MISMATCH`, `RUN_FULL` */
  admit(hello: Hello, channel: Channel<FromCoordinator, FromWorker>): WorkerSession {
    const versions = [
      { what: 'protocol', worker: hello.protocolVersion, coordinator: protocolVersion },
      { what: 'numerics', worker: hello.numericsVersion, coordinator: numericsVersion },
    ];
    const mismatch = versions.find(({ worker, coordinator }) => worker !== coordinator);
    if (mismatch) throw fault('VERSION_MISMATCH', mismatch);
    const earlier = this.sessions.get(hello.workerId);
    if (!earlier && this.sessions.size >= this.limit) throw fault('RUN_FULL', { runId: this.runId, limit: this.limit });
    earlier?.channel.close(); //                                     it broke, and we have not noticed yet
    const session: WorkerSession = { hello, channel };
    this.sessions.set(hello.workerId, session);
    return session;
  }

  /** A worker has built state 0: it must be what the others built. @throws LockstepError `START_DIFFERS` */
  makeReady(session: WorkerSession, ready: Ready): Member {
    const { workerId } = session.hello;
    const [other] = this.everReady;
    if (other && other.weightsDigest !== ready.weightsDigest) {
      const [expected, actual] = [other, ready].map(
        (r) => `${r.parameterCount} parameters (${r.weightsDigest.slice(0, 12)})`,
      );
      throw fault('START_DIFFERS', { worker: workerId, what: 'a model of', expected: expected!, actual: actual! });
    }
    this.everReady.push(ready);
    session.ready = ready;
    return { workerId, address: ready.address };
  }

  get(workerId: string): WorkerSession | undefined {
    return this.sessions.get(workerId);
  }

  remove(workerId: string): void {
    this.sessions.delete(workerId);
  }

  all(): readonly WorkerSession[] {
    return [...this.sessions.values()];
  }

  /** Tells everybody who is still here that there is nothing more to do. @param reason - in words */
  sendHome(reason: string): void {
    for (const { channel } of this.all()) refuse(channel, fault('RUN_ENDED', { reason }));
  }

  /** Ends the streams without a word: workers go on, and look for their coordinator. */
  leave(): void {
    for (const { channel } of this.all()) channel.close();
  }

  get readyCount(): number {
    let count = 0;
    for (const { ready } of this.sessions.values()) if (ready) count += 1;
    return count;
  }

  /** The engines in use, and why the bits are not exact, if they are not. `native` and `wasm` have the same bits. */
  engines(): { readonly engine: string; readonly bitExact: boolean; readonly bitExactReason?: string } {
    const ready = this.everReady;
    const names = [...new Set(ready.map(({ engine }) => engine))].sort();
    const engine = names.join('+');
    const reasons = names
      .filter((name) => ready.some((worker) => worker.engine === name && !worker.deterministic))
      .map((name) => `engine ${name} is not claimed deterministic: another device or driver may give other bits`);
    if (new Set(names.map((name) => (name === 'native' ? 'wasm' : name))).size > 1)
      reasons.push(`workers used different engines: ${names.join(', ')}`);
    return reasons.length === 0
      ? { engine, bitExact: true }
      : { engine, bitExact: false, bitExactReason: reasons.join('; ') };
  }
}
