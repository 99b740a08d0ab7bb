/**
 * What a coordinator costs with many workers: a real one, as a process, and workers that speak the real protocol over
 * loopback gRPC, each with a stream of its own, and compute nothing.
 *
 *     npm run build && node dist/bench/control-plane.js [workers, default 1000] [--tls]
 *
 * Prints one JSON object: seconds from the first Hello until the last worker has its Begin; of one core what the coordinator
 * takes while every worker sends two heartbeats and two reports a second; and milliseconds from the loss of a worker until all
 * others have their next Begin.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { advanceWorker, joinedWorker, type WorkerInput } from '../src/cluster/worker-membership.js';
import { noGeneration, type Begin } from '../src/cluster/messages.js';
import type { Channel, FromCoordinator, FromWorker } from '../src/cluster/session.js';
import { systemClock } from '../src/core/clock.js';
import { packageRoot } from '../src/core/paths.js';
import { numericsVersion, protocolVersion } from '../src/core/versions.js';
import { CertificateFolder } from '../src/security/folder.js';
import { issuedIdentity } from '../src/security/identities.js';
import type { Identity } from '../src/security/identity.js';
import { openStream } from '../src/transport/grpc/coordinator-client.js';

const workerCount = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 1000);
const isTls = process.argv.includes('--tls');
const steadySeconds = 10;
const periodMs = 500;

const folder = mkdtempSync(join(tmpdir(), 'lockstep-control-'));
const certs = join(folder, 'certs');
const quiet = { info: () => undefined, warn: (text: string) => console.error(text) };
const identity = isTls
  ? await CertificateFolder.init(certs, 'bench', 24, Date.now).then((made) =>
      issuedIdentity(
        made.authority(Date.now),
        { role: 'worker', name: 'stub', hours: 1 },
        { clock: systemClock, wallTimeMs: Date.now, log: quiet },
      ),
    )
  : undefined;
const flags = [
  '--workers',
  String(workerCount),
  '--max-workers',
  String(workerCount),
  '--epochs',
  '100000',
  '--join-timeout',
  '120',
];
const where = [
  '--port',
  '0',
  '--metrics-port',
  '0',
  '--out',
  join(folder, 'run'),
  '--json',
  '--log-level',
  'error',
  ...(isTls ? ['--certs', certs] : []),
];
const coordinator = spawn(
  process.execPath,
  [join(packageRoot, 'bin', 'lockstep.js'), 'coordinator', ...flags, ...where],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const address = await new Promise<string>((resolve) => {
  let words = '';
  coordinator.stdout.setEncoding('utf8').on('data', (text: string) => {
    const found = /"coordinator":"([^"]+)"/.exec((words = `${words}${text}`.slice(-4096)));
    if (found) resolve(found[1]!);
  });
});

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
    const channel = (this.channel = openStream(address, as));
    channel.listen({ message: (message) => this.onMessage(message), closed: () => this.onClosed(as) });
    const facts = { host: 'here', pid: 1, metricsAddress: '127.0.0.1:1' };
    channel.send({ kind: 'hello', protocolVersion, numericsVersion, workerId: this.workerId, ...facts });
  }

  /** A step is finished, or it only lives. */
  heartbeat(): void {
    if (this.begin || this.isWelcome)
      this.channel?.send({ kind: 'heartbeat', sentAtMs: systemClock.nowMs(), timings: [] });
  }

  /** As a worker does: its connection broke, and it comes back under the same id. */
  private onClosed(as: Identity | undefined): void {
    if (this.isGone) return;
    reconnections += 1;
    setTimeout(() => this.join(as), 250);
  }

  report(): void {
    if (!this.begin) return;
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
    this.begin = undefined;
    this.channel?.send({ kind: 'failed', code: 'INTERNAL', message: 'on purpose', remedy: 'none', exitCode: 1 });
    this.channel?.close();
  }

  close(): void {
    this.isGone = true;
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

let reconnections = 0;
let waitingFor = 0;
let allThere: () => void = () => undefined;
const stubs = Array.from(
  { length: workerCount },
  (_, i) => new Stub(`stub-${i}-aa`, () => --waitingFor === 0 && allThere()),
);

/** Until so many have a Begin that is new to them. @returns milliseconds */
async function untilBegun(count: number, start: () => void): Promise<number> {
  waitingFor = count;
  const beganMs = performance.now();
  const done = new Promise<void>((resolve) => (allThere = resolve));
  start();
  await done;
  return performance.now() - beganMs;
}

/** User and system time of the coordinator. */
function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${coordinator.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

try {
  setInterval(() => stubs.forEach((stub) => (stub.heartbeat(), stub.report())), periodMs);
  const joinCpu = cpuSeconds();
  const joinMs = await untilBegun(workerCount, () => stubs.forEach((stub) => stub.join(identity)));
  const joinCpuSeconds = cpuSeconds() - joinCpu;
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const [startCpu, startMs] = [cpuSeconds(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, steadySeconds * 1000));
  const steadyCores = (cpuSeconds() - startCpu) / ((performance.now() - startMs) / 1000);
  const changes: number[] = [];
  for (let i = 0; i < 5; i++)
    changes.push(await untilBegun(workerCount - 1 - i, () => stubs[workerCount - 1 - i]!.fail()));
  const membershipMs = changes.sort((a, b) => a - b)[2]!;
  const rssMiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${coordinator.pid}/status`, 'utf8'))![1]) / 1024;
  const round = (value: number) => Math.round(value * 1000) / 1000;
  const figures = {
    joinSeconds: round(joinMs / 1000),
    joinCpuSeconds: round(joinCpuSeconds),
    steadyCores: round(steadyCores),
    membershipMs: Math.round(membershipMs),
    rssMiB: Math.round(rssMiB),
    reconnections,
  };
  console.log(
    JSON.stringify({ cpu: cpus()[0]?.model, cores: cpus().length, workers: workerCount, tls: isTls, ...figures }),
  );
} finally {
  coordinator.kill('SIGKILL');
  for (const stub of stubs) stub.close();
  identity?.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
