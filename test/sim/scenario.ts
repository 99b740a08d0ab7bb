import { randomStream } from '../../src/core/random.js';
import { Chance } from './network.js';

export type Fault =
  | { readonly kind: 'kill'; readonly worker: number; readonly isSeen: boolean; readonly restartMs: number | undefined }
  | { readonly kind: 'pause'; readonly worker: number; readonly forMs: number }
  | { readonly kind: 'leave'; readonly worker: number }
  | { readonly kind: 'join' }
  | { readonly kind: 'break'; readonly worker: number }
  | { readonly kind: 'partition'; readonly cut: number; readonly forMs: number }
  | { readonly kind: 'crash'; readonly restartMs: number }
  | { readonly kind: 'pause coordinator'; readonly forMs: number }
  /** The next record is refused by its disk or its server, and may lie there all the same. */
  | { readonly kind: 'failed append' }
  | { readonly kind: 'slow-disk'; readonly forMs: number }
  | { readonly kind: 'clock-jump'; readonly byMs: number }
  | { readonly kind: 'stop' };

/** What a simulated run is put through; a function of the seed unless a test says otherwise. */
export interface Scenario {
  readonly seed: number;
  readonly worldSize: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly lastStep: number;
  readonly failOnLoss: boolean;
  /** Micro-batches for each worker, where the batch follows the cluster. */
  readonly batch: { readonly perWorker: number; readonly max: number } | undefined;
  /** Whether a second coordinator waits for the lease of the first. */
  readonly standby: boolean;
  /** Steps from one evaluation to the next. */
  readonly evaluateEvery: number;
  /** The evaluation after this step, or the next one, reaches the target: the run ends. */
  readonly targetStep: number;
  /** What a worker measures of itself. */
  readonly secondsPerSample: (place: string, step: number) => number;
  readonly faults: readonly { readonly atMs: number; readonly fault: Fault }[];
}

/** Faults come within this time; afterwards the run must end. */
export const faultsEndMs = 4_000;

export function scenarioOf(seed: number, fixed: Partial<Omit<Scenario, 'seed' | 'faults'>> = {}): Scenario {
  const chance = new Chance(randomStream(seed, 'scenario'));
  const worldSize = chance.between(1, 5);
  const minWorkers = chance.between(1, worldSize);
  const maxWorkers = worldSize + chance.between(0, 2);
  const lastStep = chance.between(3, 60);
  const count = chance.one(0.1) ? chance.between(10, 30) : chance.between(0, 9);
  const windowMs = Math.min(faultsEndMs, 300 + lastStep * 60); //   about as long as the run takes undisturbed
  let nearMs = chance.below(windowMs);
  const faults = Array.from({ length: count }, () => {
    // Troubles seldom come alone: half of them shortly after the one before.
    nearMs = chance.one(0.5) ? Math.min(faultsEndMs, nearMs + chance.below(60)) : chance.below(windowMs);
    return { atMs: nearMs, fault: faultOf(chance) };
  });
  const batch = chance.one(0.5) ? { perWorker: chance.between(1, 4), max: 16 } : undefined;
  const areUnequal = chance.one(0.5);
  // Places are slow for a while and then others are; where all are equal, nothing is moved.
  const secondsPerSample = (place: string, step: number): number =>
    areUnequal ? 1 + (randomStream(seed, `${place}/${step >> 5}`).uint32() % 4) : 1;
  const standby = chance.one(0.4);
  const evaluateEvery = chance.pick([1, 4, 10, 100]);
  const targetStep = chance.one(0.2) ? chance.between(1, lastStep) : Infinity;
  const cluster = { worldSize, minWorkers, maxWorkers, failOnLoss: false, standby };
  const common = { seed, ...cluster, lastStep, evaluateEvery, targetStep, batch, secondsPerSample };
  return { ...common, faults, ...fixed };
}

function faultOf(chance: Chance): Fault {
  const worker = chance.below(8);
  switch (chance.below(24)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return {
        kind: 'kill',
        worker,
        isSeen: chance.one(0.7),
        restartMs: chance.one(0.5) ? chance.below(800) : undefined,
      };
    case 4:
    case 5:
      return { kind: 'pause', worker, forMs: chance.between(50, 4000) };
    case 6:
    case 7:
      return { kind: 'leave', worker };
    case 8:
    case 9:
    case 10:
      return { kind: 'join' };
    case 11:
    case 12:
      return { kind: 'break', worker };
    case 13:
      return { kind: 'partition', cut: chance.below(1024), forMs: chance.between(50, 4000) };
    case 14:
    case 15:
    case 16:
    case 17:
      return { kind: 'crash', restartMs: chance.between(10, 1500) };
    case 18:
    case 19:
      return { kind: 'pause coordinator', forMs: chance.between(50, 6000) };
    case 20:
      return { kind: 'failed append' };
    case 21:
      return chance.one(0.5)
        ? { kind: 'slow-disk', forMs: chance.between(200, 2000) }
        : { kind: 'clock-jump', byMs: chance.between(500, 3_600_000) };
    default:
      return chance.one(0.3) ? { kind: 'stop' } : { kind: 'break', worker };
  }
}
