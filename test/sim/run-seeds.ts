import { productionRules, type Rules } from './rules.js';
import { scenarioOf, type Scenario } from './scenario.js';
import { simulate, type SimulationResult } from './simulation.js';

export interface SeedFailure {
  readonly seed: number;
  readonly message: string;
}

export interface SeedSummary {
  readonly failures: readonly SeedFailure[];
  /** Runs by how they ended: `ended`, or the code of the failure. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Over all runs: phases entered, faults fired, workers that caught up, left or were dropped. */
  readonly counts: Readonly<Record<string, number>>;
  readonly events: number;
}

/**
 * Simulates one run for each seed.
 *
 * @param fixed - what every scenario has in common; the rest is drawn from the seed
 * @param check - what else must hold at the end of each run; throws if it does not
 */
export function runSeeds(
  seeds: Iterable<number>,
  fixed: Partial<Omit<Scenario, 'seed' | 'faults'>> = {},
  check: (result: SimulationResult, scenario: Scenario) => void = () => undefined,
): SeedSummary {
  const failures: SeedFailure[] = [];
  const outcomes: Record<string, number> = {};
  const counts: Record<string, number> = {};
  let events = 0;
  for (const seed of seeds) {
    const scenario = scenarioOf(seed, fixed);
    try {
      const result = simulate(scenario);
      check(result, scenario);
      const outcome = result.failure ?? result.outcome;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      for (const [what, count] of result.counts) counts[what] = (counts[what] ?? 0) + count;
      events += result.events;
    } catch (error) {
      failures.push({ seed, message: (error as Error).message });
    }
  }
  return { failures, outcomes, counts, events };
}

/** The first seed from 0 with which the simulation objects to `rules`. @param fixed - as in `runSeeds` */
export function firstObjection(rules: Rules, seedsMax: number, fixed: Partial<Scenario> = {}): SeedFailure | undefined {
  for (let seed = 0; seed < seedsMax; seed++) {
    try {
      simulate(scenarioOf(seed, fixed), rules);
    } catch (error) {
      return { seed, message: (error as Error).message };
    }
  }
  return undefined;
}

/** `first`, `first + stride`, ... below `first + count`. */
export function* seedsFrom(first: number, count: number, stride = 1): Generator<number> {
  for (let i = 0; i < count; i += stride) yield first + i;
}

/** One seed, event by event, for whoever wants to see what it is about. */
export function replay(seed: number): { readonly lines: readonly string[]; readonly isBroken: boolean } {
  const scenario = scenarioOf(seed);
  const lines = [`scenario ${JSON.stringify(scenario)}`];
  try {
    const result = simulate(scenario, productionRules, (line) => lines.push(line));
    lines.push(`${result.failure ?? result.outcome} after step ${result.finalStep}, ${result.generations} generations`);
    return { lines, isBroken: false };
  } catch (error) {
    lines.push(`broken: ${(error as Error).message}`);
    return { lines, isBroken: true };
  }
}
