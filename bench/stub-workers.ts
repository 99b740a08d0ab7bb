/**
 * A process of `control-plane.ts`: many workers that speak the real protocol, each with a stream of its own, and compute
 * nothing. Told what to do, and tells what has happened, by Node's messages between processes.
 */
import { noGeneration, type Begin } from '../src/cluster/messages.js';
import type { Channel, FromCoordinator, FromWorker } from '../src/cluster/session.js';
import { advanceWorker, joinedWorker, type WorkerInput } from '../src/cluster/worker-membership.js';
import { systemClock } from '../src/core/clock.js';
import { numericsVersion, protocolVersion } from '../src/core/versions.js';
import { CertificateFolder } from '../src/security/folder.js';
import { issuedIdentity } from '../src/security/identities.js';
import type { Identity } from '../src/security/identity.js';
import { openStream } from '../src/transport/grpc/coordinator-client.js';

/** What a process of stubs is started with. */
export interface StubOrder {
  readonly address: string;
  /** The first stub's number, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** Folder of the run's certificates, with TLS. */
  readonly certs?: string;
}

/** What it is told. */
export type StubCommand =
  | { readonly kind: 'join' }
  /** One of its workers is lost, and says so. */
  | { readonly kind: 'fail'; readonly number: number }
  /** To say when all of its workers run under a generation later than this one. */
  | { readonly kind: 'await'; readonly after: number };

/** What it says. */
export type StubReport =
  | { readonly kind: 'connected-anew' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'running'; readonly after: number; readonly number: number };

const order = JSON.parse(process.argv[2]!) as StubOrder;
const periodMs = 500;
/** Workers of a cluster do not speak all at the same time. */
const phases = 25;

const log = { info: () => undefined, warn: (text: string) => console.error(text) };
const identity = order.certs
  ? await issuedIdentity(
      new CertificateFolder(order.certs).authority(Date.now),
      { role: 'worker', name: 'stub', hours: 1 },
      { clock: systemClock, wallTimeMs: Date.now, log },
    )
  : undefined;

/** A worker without data and engine. */
class Stub {
  private membership;
  private channel: Channel<FromWorker, FromCoordinator> | undefined;
  isGone = false;
  private isWelcome = false;
  begin: Begin | undefined;

  constructor(
    private readonly workerId: string,
    private readonly onBegin: () => void,
  ) {
    this.membership = joinedWorker(workerId);
  }

  join(as: Identity | undefined): void {
    const channel = (this.channel = openStream(order.address, as));
    channel.listen({ message: (message) => this.onMessage(message), closed: () => this.onClosed(as) });
    const facts = { host: 'here', pid: 1, metricsAddress: '127.0.0.1:1' };
    channel.send({ kind: 'hello', protocolVersion, numericsVersion, workerId: this.workerId, ...facts });
  }

  /** It lives. */
  heartbeat(): void {
    if (this.isWelcome) this.channel?.send({ kind: 'heartbeat', sentAtMs: systemClock.nowMs(), timings: [] });
  }

  /** As a worker does: its connection broke, and it comes back under the same id. */
  private onClosed(as: Identity | undefined): void {
    if (this.isGone) return;
    say({ kind: 'connected-anew' });
    setTimeout(() => this.join(as), 250);
  }

  /** It has finished a step. */
  report(): void {
    if (!this.begin || this.isGone) return;
    const { generation } = this.begin;
    const progress = {
      workerId: this.workerId,
      generation,
      finishedStep: this.membership.finishedStep,
      sealed: generation,
    };
    this.channel?.send({ kind: 'progress', ...progress, steps: [], evaluations: [], secondsPerSample: 0.001 });
  }

  /** It is lost, and says so. */
  fail(): void {
    this.isGone = true;
    this.isWelcome = false;
    this.channel?.send({ kind: 'failed', code: 'INTERNAL', message: 'on purpose', remedy: 'none', exitCode: 1 });
    this.channel?.close();
  }

  private onMessage(message: FromCoordinator): void {
    if (message.kind === 'welcome') {
      this.isWelcome = true;
      const { sealed, begin, finishedStep } = this.membership;
      const generation = begin?.generation ?? noGeneration;
      const greeting = { kind: 'progress', workerId: this.workerId, generation, finishedStep, sealed } as const;
      if (sealed === noGeneration) this.dispatch({ kind: 'level', step: 0 });
      const facts = { engine: 'native', deterministic: true, parameterCount: 44_426, weightsDigest: 'a'.repeat(64) };
      this.channel!.send({
        kind: 'ready',
        address: '127.0.0.1:1',
        ...facts,
        ...(sealed === noGeneration ? {} : { greeting }),
      });
    } else if (message.kind === 'seal' || message.kind === 'begin' || message.kind === 'end')
      this.dispatch({ kind: 'message', message });
    else this.isGone = true;
  }

  private dispatch(input: WorkerInput): void {
    const { state, actions } = advanceWorker(this.membership, input);
    this.membership = state;
    for (const action of actions) {
      if (action.kind === 'send') this.channel!.send(action.message);
      if (action.kind === 'abandon') this.dispatch({ kind: 'abandoned' });
      if (action.kind === 'catch-up') this.dispatch({ kind: 'level', step: action.begin.afterStep });
      if (action.kind !== 'run') continue;
      this.begin = action.begin;
      this.onBegin();
    }
  }
}

let awaited: number | undefined;
const stubs = Array.from({ length: order.count }, (_, i) => new Stub(`stub-${order.first + i}-aa`, tellIfAllRun));

function tellIfAllRun(): void {
  if (awaited === undefined) return;
  const numbers = stubs.filter(({ isGone }) => !isGone).map(({ begin }) => begin?.generation.number ?? 0);
  const [after, number] = [awaited, Math.min(...numbers)];
  if (number <= after) return;
  awaited = undefined;
  say({ kind: 'running', after, number });
}

function say(report: StubReport): void {
  process.send!(report);
}

process.on('message', (command: StubCommand) => {
  if (command.kind === 'join') stubs.forEach((stub) => stub.join(identity));
  if (command.kind === 'fail') stubs[command.number - order.first]!.fail();
  if (command.kind === 'await') {
    awaited = command.after;
    tellIfAllRun();
  }
});
process.on('disconnect', () => process.exit());

let phase = 0;
setInterval(() => {
  phase = (phase + 1) % phases;
  stubs.forEach((stub, i) => i % phases === phase && (stub.heartbeat(), stub.report()));
}, periodMs / phases);
say({ kind: 'ready' });
