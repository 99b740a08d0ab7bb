import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/core/paths.js';
import { randomStream } from '../../src/core/random.js';

/** Real processes, real signals: one run on a cluster to which things happen at seeded steps. */

/** A worker: killed, stopped for good, asked to leave, added. The coordinator: killed, alone or with a worker. */
export type FaultKind = 'kill' | 'stop' | 'leave' | 'add' | 'coordinator' | 'coordinator and worker';

export interface Fault {
  readonly step: number;
  readonly kind: FaultKind;
}

export interface ChaosOptions {
  /** What determines the result: flags of `lockstep coordinator`. */
  readonly spec: readonly string[];
  readonly steps: number;
  readonly workers: number;
  readonly out: string;
  /** Folder for what each process says on standard error; it is made. */
  readonly logs: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** By step. */
  readonly faults: readonly Fault[];
  /** With fewer the run waits, and the next worker that is to be added comes at once. */
  readonly minWorkers: number;
}

export interface ChaosResult {
  readonly digest: string | undefined;
  /** Faults that found nobody to hit, or whose step never came. */
  readonly unfired: readonly Fault[];
  /** Workers that took part later than from the beginning. */
  readonly joined: number;
  /** Coordinators that took over. */
  readonly restored: number;
}

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly coordinator?: string;
  readonly weightsDigest?: string;
  readonly joined?: readonly string[];
}

/** A run that hangs is a failure, not an endless wait. */
const limitMs = 180_000;

/**
 * Faults at steps that differ. Workers that come replace those that go, so that somebody is always left. While there is no
 * coordinator nobody sees which step it is and the workers are fast, so its death comes last, or a worker's with it.
 */
export function faultsOf(seed: number, steps: number): readonly Fault[] {
  const random = randomStream(seed, 'chaos');
  const pick = <T>(from: readonly T[]): T => from[random.uint32() % from.length]!;
  const stepsOfFaults = new Set<number>();
  while (stepsOfFaults.size < 5) stepsOfFaults.add(5 + (random.uint32() % Math.floor(steps * 0.6)));
  const first = pick(['kill', 'stop', 'leave', 'coordinator and worker'] as const);
  const second = pick(['kill', 'stop', 'coordinator and worker'] as const);
  const kinds: readonly FaultKind[] = [first, 'add', second, 'add', 'coordinator'];
  return [...stepsOfFaults].sort((a, b) => a - b).map((step, i) => ({ step, kind: kinds[i]! }));
}

export async function play(options: ChaosOptions): Promise<ChaosResult> {
  const cluster = new Cluster(options);
  const limit = setTimeout(() => cluster.killAll(), limitMs);
  try {
    return await cluster.run();
  } finally {
    clearTimeout(limit);
    cluster.killAll();
  }
}

class Cluster {
  private readonly workers: ChildProcess[] = [];
  private readonly everyone: ChildProcess[] = [];
  private coordinator!: ChildProcess;
  private address = '';
  private readonly faults: Fault[];
  private readonly unfired: Fault[] = [];
  private joined = 0;
  private restored = 0;

  constructor(private readonly options: ChaosOptions) {
    this.faults = [...options.faults];
    mkdirSync(options.logs, { recursive: true });
  }

  async run(): Promise<ChaosResult> {
    const { options } = this;
    const where = ['--port', '0', '--metrics-port', '0', '--json', '--out', options.out];
    const counts = ['--workers', String(options.workers), '--min-workers', String(options.minWorkers)];
    let last = await this.lead(['coordinator', ...options.spec, ...counts, ...where]);
    while (this.coordinator.signalCode === 'SIGKILL' && last?.type !== 'result') {
      last = await this.lead(['coordinator', '--restore', '--metrics-port', '0', '--json', '--out', options.out]);
    }
    const { joined, restored } = this;
    return { digest: last?.weightsDigest, unfired: [...this.unfired, ...this.faults], joined, restored };
  }

  /** One coordinator, until it ends. @returns the last line that it wrote */
  private async lead(args: readonly string[]): Promise<Line | undefined> {
    this.coordinator = this.lockstep(args, 'coordinator');
    const ended = once(this.coordinator, 'close');
    let hasStarted = false;
    let last: Line | undefined;
    for await (const text of createInterface({ input: this.coordinator.stdout! })) {
      last = JSON.parse(text) as Line;
      if (last.type === 'listening' && this.address === '') {
        this.address = last.coordinator!;
        for (let i = 0; i < this.options.workers; i++) this.addWorker();
      }
      if (last.type === 'restored') this.restored += 1;
      if (last.type === 'membership') this.joined += last.joined?.length ?? 0;
      hasStarted ||= last.type === 'started';
      if (this.coordinator.killed) continue; //                      what it wrote before is no news
      const isDue = last.type === 'step' && this.faults[0] && last.step! >= this.faults[0].step;
      const isAwaited = last.type === 'waiting' && hasStarted && this.faults[0]?.kind === 'add';
      if (isDue || isAwaited) this.fire(this.faults.shift()!);
    }
    await ended;
    return last;
  }

  private fire(fault: Fault): void {
    const { kind, step } = fault;
    if (kind === 'add') return this.addWorker();
    if (kind.startsWith('coordinator')) this.coordinator.kill('SIGKILL');
    if (kind === 'coordinator') return;
    const [victim] = this.workers.splice(step % this.workers.length, 1);
    const signal = kind === 'stop' ? 'SIGSTOP' : kind === 'leave' ? 'SIGTERM' : 'SIGKILL';
    if (victim?.exitCode !== null || !victim.kill(signal)) this.unfired.push(fault);
  }

  private addWorker(): void {
    const name = `worker-${this.everyone.length}`;
    const flags = ['--coordinator', this.address, '--exchange-port', '0', '--metrics-port', '0', '--name', name];
    this.workers.push(this.lockstep(['worker', ...flags], name));
  }

  /** At the end only those are left that were stopped, or came too late. */
  killAll(): void {
    for (const child of this.everyone) child.kill('SIGKILL');
  }

  /** @param logName - a successor's words come after those of the one before */
  private lockstep(args: readonly string[], logName: string): ChildProcess {
    const log = openSync(join(this.options.logs, `${logName}.log`), 'a');
    const child = spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], {
      env: { ...process.env, ...this.options.environment },
      stdio: ['ignore', 'pipe', log],
    });
    closeSync(log);
    this.everyone.push(child);
    return child;
  }
}
