/**
 * Time from a worker's end to the next step that the others finish: killed (`kill -9`), and stopped (SIGSTOP: a host that
 * is cut off looks the same, nobody hears of it). Beside it the same of torchrun's elastic restart, in turns with ours.
 *
 *     npm run build && node dist/bench/recovery.js [rounds, default 10] [workers, default 3] [PYTHON]
 *
 * Each fault is a run of its own: LeNet-5 on MNIST, global batch 256. The clock starts at the fault and stops when the
 * coordinator tells of a step of the next generation, so it includes the up to 50 ms that a worker collects its reports.
 * PYTHON names an interpreter with PyTorch (bench/peers/elastic_ddp.py); without it torchrun is left out.
 * Prints one JSON object a fault, and one a kind of fault: median and worst in milliseconds, and how many steps that were finished had to
 * be done again or were never told of; after a restart of torchrun these are the steps since its last checkpoint.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/core/paths.js';
import { scratchFolder } from './leave-nothing.js';

interface Recovery {
  readonly milliseconds: number;
  readonly lostSteps: number;
}

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly generation?: number;
  readonly coordinator?: string;
}

const rounds = Number(process.argv[2] ?? 10);
const worldSize = Number(process.argv[3] ?? 3);
const python = process.argv[4];
/** When it happens: any step in the middle will do, another one each time. */
const faultStep = (round: number) => 60 + ((7 * round) % 180);
const steps = 300;
/** Of what torchrun says, the end, for when it does not go on. */
const complaintsMax = 8_000;
/** In which a round of torchrun is over many times. */
const torchrunMs = 90_000;
/**
 * Else all restarts share one store, where new processes find the addresses of those that were killed, try them for five
 * seconds and fail, until no restart is left (torch 2.13).
 */
const ownStore = { TORCH_DISABLE_SHARE_RDZV_TCP_STORE: '1' };

const lockstep = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], { stdio: ['ignore', 'pipe', 'ignore'] });

async function ours(round: number, signal: 'SIGKILL' | 'SIGSTOP', folder: string): Promise<Recovery> {
  const out = join(folder, 'run');
  const spec = [
    '--workers',
    String(worldSize),
    '--steps',
    String(steps),
    '--global-batch',
    '256',
    '--micro-batch',
    '32',
  ];
  const coordinator = lockstep(['coordinator', ...spec, '--port', '0', '--metrics-port', '0', '--json', '--out', out]);
  const workers: ChildProcess[] = [];
  let fault: { readonly ms: number; readonly generation: number } | undefined;
  let milliseconds: number | undefined;
  for await (const text of createInterface({ input: coordinator.stdout! })) {
    const line = JSON.parse(text) as Line;
    if (line.type === 'listening') {
      const flags = ['--coordinator', line.coordinator!, '--exchange-port', '0', '--metrics-port', '0'];
      for (let i = 0; i < worldSize; i++) workers.push(lockstep(['worker', ...flags, '--name', `worker-${i}`]));
    }
    if (line.type !== 'step') continue;
    if (!fault && line.step! >= faultStep(round)) {
      workers[round % worldSize]!.kill(signal);
      fault = { ms: performance.now(), generation: line.generation! };
    } else if (fault && line.generation! > fault.generation) milliseconds ??= performance.now() - fault.ms;
  }
  for (const worker of workers) worker.kill('SIGKILL'); //            the stopped one
  if (milliseconds === undefined) throw new Error(`round ${round} did not go on after ${signal}`);
  const told = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const tellsOfSteps = told.filter((text) => !text.includes('"testLoss"')).length;
  return { milliseconds, lostSteps: Math.abs(tellsOfSteps - steps) };
}

interface PeerLine {
  readonly step: number;
  readonly pid: number;
  readonly rank: number;
}

async function torchrun(round: number, folder: string): Promise<Recovery> {
  const local = ['--nnodes=1', '--nproc-per-node=2', '--max-restarts=3', '--local-addr=127.0.0.1'];
  const rendezvous = ['--rdzv-backend=c10d', '--rdzv-endpoint=127.0.0.1:0'];
  const script = [join(packageRoot, 'bench/peers/elastic_ddp.py'), '100000', join(folder, 'checkpoint')];
  const agent = spawn(python!, ['-m', 'torch.distributed.run', ...local, ...rendezvous, ...script], {
    env: { ...process.env, GLOO_SOCKET_IFNAME: 'lo', TP_SOCKET_IFNAME: 'lo', OMP_NUM_THREADS: '1', ...ownStore },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: torchrunMs,
  });
  let complaints = '';
  agent.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaints = (complaints + text).slice(-complaintsMax)));
  const first = new Set<number>();
  let fault: { readonly ms: number; readonly step: number } | undefined;
  let recovery: Recovery | undefined;
  for await (const text of createInterface({ input: agent.stdout })) {
    const { step, pid, rank } = JSON.parse(text) as PeerLine;
    if (!fault) {
      first.add(pid);
      if (rank !== round % 2 || step < faultStep(round)) continue;
      process.kill(pid, 'SIGKILL');
      fault = { ms: performance.now(), step };
    } else if (!first.has(pid) && !recovery) {
      recovery = { milliseconds: performance.now() - fault.ms, lostSteps: Math.max(0, fault.step - step + 1) };
      agent.kill('SIGTERM');
    }
  }
  if (!recovery) throw new Error(`torchrun did not go on in round ${round}:\n${complaints}`);
  return recovery;
}

const kinds: Record<string, (round: number, folder: string) => Promise<Recovery>> = {
  killed: (round, folder) => ours(round, 'SIGKILL', folder),
  stopped: (round, folder) => ours(round, 'SIGSTOP', folder),
  ...(python === undefined ? {} : { 'killed under torchrun': torchrun }),
};
const found = new Map<string, Recovery[]>(Object.keys(kinds).map((kind) => [kind, []]));
for (let round = 0; round < rounds; round++) {
  for (const [kind, run] of Object.entries(kinds)) {
    const folder = scratchFolder('recovery');
    try {
      const recovery = await run(round, folder);
      process.stdout.write(`${JSON.stringify({ fault: kind, round, ...recovery })}\n`);
      found.get(kind)!.push(recovery);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
for (const [fault, recoveries] of found) {
  const sorted = recoveries.map(({ milliseconds }) => Math.round(milliseconds)).sort((a, b) => a - b);
  const [medianMs, worstMs] = [sorted[sorted.length >> 1], sorted.at(-1)];
  const lostSteps = recoveries.reduce((sum, recovery) => sum + recovery.lostSteps, 0);
  process.stdout.write(`${JSON.stringify({ fault, rounds, medianMs, worstMs, lostSteps })}\n`);
}
