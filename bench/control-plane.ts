/**
 * What a coordinator costs with many workers: a real one, as a process, and workers that speak the real protocol over
 * loopback gRPC, each with a stream of its own, and compute nothing; several processes of them.
 *
 *     npm run build && node dist/bench/control-plane.js [workers, default 1000] [--processes 4] [--tls]
 *
 * Prints one JSON object: seconds from the first Hello until the last worker has its Begin; of one core what the coordinator
 * takes while every worker sends two heartbeats and two reports a second; and milliseconds from the loss of a worker until all
 * others have their next Begin.
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/core/paths.js';
import { CertificateFolder } from '../src/security/folder.js';
import { scratchFolder } from './leave-nothing.js';
import type { StubCommand, StubOrder, StubReport } from './stub-workers.js';

const workerCount = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 1000);
const processes = process.argv.includes('--processes')
  ? Number(process.argv[process.argv.indexOf('--processes') + 1])
  : 4;
const isTls = process.argv.includes('--tls');
const steadySeconds = 10;

const folder = scratchFolder('control');
const certs = join(folder, 'certs');
if (isTls) await CertificateFolder.init(certs, 'bench', 24, Date.now);
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

let reconnections = 0;

/** One process of stubs. */
class StubProcess {
  private readonly child: ChildProcess;
  private readonly listeners = new Set<(report: StubReport) => void>();

  constructor(readonly order: StubOrder) {
    this.child = fork(join(import.meta.dirname, 'stub-workers.js'), [JSON.stringify(order)]);
    this.child.on('message', (report: StubReport) => {
      if (report.kind === 'connected-anew') reconnections += 1;
      for (const listener of this.listeners) listener(report);
    });
  }

  tell(command: StubCommand): void {
    this.child.send(command);
  }

  async hears<K extends StubReport['kind']>(kind: K): Promise<Extract<StubReport, { kind: K }>> {
    return new Promise((resolve) => {
      const listener = (report: StubReport): void => {
        if (report.kind !== kind) return;
        this.listeners.delete(listener);
        resolve(report as Extract<StubReport, { kind: K }>);
      };
      this.listeners.add(listener);
    });
  }
}

const share = Math.ceil(workerCount / processes);
const stubs = Array.from({ length: processes }, (_, i) => {
  const [first, end] = [i * share, Math.min(workerCount, (i + 1) * share)];
  return new StubProcess({ address, first, count: end - first, ...(isTls ? { certs } : {}) });
});
let generation = 0;

/** Until all have a Begin that is new to them. @returns milliseconds */
async function untilAllRun(start: () => void): Promise<number> {
  const running = Promise.all(stubs.map(async (stub) => stub.hears('running')));
  const beganMs = performance.now();
  for (const stub of stubs) stub.tell({ kind: 'await', after: generation });
  start();
  generation = Math.max(...(await running).map(({ number }) => number));
  return performance.now() - beganMs;
}

/** User and system time of the coordinator. */
function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${coordinator.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(stat[11]) + Number(stat[12])) / 100;
}

await Promise.all(stubs.map(async (stub) => stub.hears('ready')));
const joinCpu = cpuSeconds();
const joinMs = await untilAllRun(() => stubs.forEach((stub) => stub.tell({ kind: 'join' })));
const joinCpuSeconds = cpuSeconds() - joinCpu;
await new Promise((resolve) => setTimeout(resolve, 2_000));
const [startCpu, startMs] = [cpuSeconds(), performance.now()];
await new Promise((resolve) => setTimeout(resolve, steadySeconds * 1000));
const steadyCores = (cpuSeconds() - startCpu) / ((performance.now() - startMs) / 1000);
const changes: number[] = [];
for (let i = 0; i < 5; i++) {
  const stub = stubs[i % processes]!;
  const number = stub.order.first + Math.floor(i / processes);
  changes.push(await untilAllRun(() => stub.tell({ kind: 'fail', number })));
}
const membershipMs = changes.sort((a, b) => a - b)[2]!;
const rssMiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${coordinator.pid}/status`, 'utf8'))![1]) / 1024;
const round = (value: number) => Math.round(value * 1000) / 1000;
const figures = {
  joinSeconds: round(joinMs / 1000),
  joinCpuSeconds: round(joinCpuSeconds),
  steadyCores: round(steadyCores),
  membershipMs: Math.round(membershipMs),
  membershipMsMost: Math.round(changes[4]!),
  rssMiB: Math.round(rssMiB),
  reconnections,
};
console.log(
  JSON.stringify({
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    workers: workerCount,
    processes,
    tls: isTls,
    ...figures,
  }),
);
process.exit();
