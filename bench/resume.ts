/**
 * `kill -9` of everything at random moments, then `--resume` with another number of workers: every run must end with the
 * weights of the one that was never killed. Linux only: the processes are found in /proc.
 *
 *     npm run build && node dist/bench/resume.js [kills, default 20] [first seed, default 0]
 *
 * LeNet-5 on MNIST, global batch 256, 150 steps, a checkpoint every 5; the moments are seeded and hit steps and the
 * writing of checkpoints alike, once there is a first one. Each run is killed twice. Prints one JSON object a run and a summary; ends with exit
 * code 1 if a digest differs or a kill came too late.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../src/core/paths.js';
import { randomStream } from '../src/core/random.js';
import { scratchFolder } from './leave-nothing.js';

interface Line {
  readonly type: string;
  readonly step?: number;
  readonly weightsDigest?: string;
  readonly code?: string;
}

const steps = 150;
const begun = ['--steps', String(steps), '--global-batch', '256', '--seed', '7', '--checkpoint-every', '5steps'];
const folder = scratchFolder('resume');

/** Ends every process that names `out`, all at once. */
function killAll(out: string): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const isOurs = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(out);
    } catch {
      return false; //                                                it has ended meanwhile
    }
  };
  for (const pid of pids.filter(isOurs)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      continue;
    }
  }
}

/** @param killAt - a step, and milliseconds after it was told of @returns the digest of a run that came to its end, the code of an error */
async function train(out: string, flags: readonly string[], killAt?: { readonly step: number; readonly ms: number }) {
  // The cache's folder makes workers name the run too.
  const args = ['train', ...flags, '--cache-dir', join(out, 'cache'), '--metrics-port', '0', '--json'];
  const run = spawn(process.execPath, [join(packageRoot, 'bin', 'lockstep.js'), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => run.once('exit', resolve));
  let digest: string | undefined;
  let code: string | undefined;
  let [isKilled, hasCheckpoint] = [false, false];
  for await (const text of createInterface({ input: run.stdout })) {
    if (!text.endsWith('}')) continue; //                             torn by the kill
    const line = JSON.parse(text) as Line;
    digest = line.weightsDigest ?? digest;
    code = line.code ?? code;
    hasCheckpoint ||= line.type === 'checkpoint' || line.type === 'resumed';
    if (isKilled || !hasCheckpoint || !killAt || line.type !== 'step' || line.step! < killAt.step) continue;
    isKilled = true;
    await pause(killAt.ms);
    killAll(out);
  }
  await ended;
  return { digest, isKilled, code };
}

async function killedTwice(seed: number) {
  const random = randomStream(seed, 'resume');
  const below = (limit: number): number => random.uint32() % limit;
  const out = join(folder, `run-${seed}`);
  const moment = (first: number) => ({ step: first + below(40), ms: below(30) });
  const kills = [moment(5), moment(55)];
  const workers = [2, 1 + below(3), 1 + below(3)].map(String);
  const early = await train(out, [...begun, '--workers', workers[0]!, '--out', join(out, 'run')], kills[0]);
  const resume = ['--resume', join(out, 'run'), '--workers'];
  const later = await train(out, [...resume, workers[1]!], kills[1]);
  const { digest, code } = await train(out, [...resume, workers[2]!]);
  rmSync(out, { recursive: true, force: true });
  const codes = [early.code, later.code, code].filter((c) => c !== undefined);
  return { kills, workers, codes, digest, hasFired: early.isKilled && later.isKilled };
}

const runs = Math.ceil(Number(process.argv[2] ?? 20) / 2);
const firstSeed = Number(process.argv[3] ?? 0);
const whole = join(folder, 'whole');
const { digest: expected } = await train(whole, [...begun, '--workers', '1', '--out', join(whole, 'run')]);
if (expected === undefined) throw new Error('the run that nobody kills did not come to its end');
const failed: number[] = [];
for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  const { digest, hasFired, ...story } = await killedTwice(seed);
  const isSame = digest === expected && hasFired;
  if (!isSame) failed.push(seed);
  process.stdout.write(`${JSON.stringify({ seed, ...story, digest: digest?.slice(0, 12), hasFired, isSame })}\n`);
}
process.stdout.write(`${JSON.stringify({ kills: 2 * runs, failedSeeds: failed, weightsDigest: expected })}\n`);
if (failed.length > 0) process.exitCode = 1;
