import { join } from 'node:path';
import { writeFileAtomically } from '../../core/atomic-file.js';
import { systemClock } from '../../core/clock.js';
import type { FlagValues } from '../../config/sources.js';
import { methods, type MethodName } from '../../lab/search/method.js';
import { compareMethods, runSearch, type SearchResult } from '../../lab/search/search.js';
import { checkSpace, parseDimension } from '../../lab/search/space.js';
import { TrialLog } from '../../lab/trial-log.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { eventsTo, number, placeOf, wholeNumber, withTraining, type PlaceFlags, type Print } from '../lab-options.js';
import { shellWord } from '../shell-word.js';

export interface SearchFlags extends PlaceFlags {
  readonly method?: string;
  readonly space?: readonly string[];
  readonly trials?: string;
  readonly population?: string;
  readonly objective?: string;
  readonly searchSeeds?: string;
  readonly out?: string;
  readonly seconds?: string;
  readonly json?: boolean;
}

/** `lockstep search` */
export async function run(flags: SearchFlags, given: FlagValues, context: CommandContext): Promise<void> {
  const { stdout, argv, environment } = context;
  const place = placeOf(flags);
  const space = (flags.space ?? []).map(parseDimension);
  if (space.length === 0) throw cliFault('BAD_USAGE', { message: '--space is missing: what is to be chosen?' });
  checkSpace(space);
  const task = {
    given,
    environment,
    space,
    trials: wholeNumber('--trials', flags.trials ?? '40'),
    population: wholeNumber('--population', flags.population ?? '8'),
    objective: choice('--objective', flags.objective ?? 'accuracy', ['accuracy', 'loss'] as const),
  };
  const named = (flags.method ?? 'pso').split(',');
  const wanted = named.map((name) => choice('--method', name, Object.keys(methods) as MethodName[]));
  const seeds = wholeNumber('--search-seeds', flags.searchSeeds ?? '1');
  const rules = { patience: { samples: 0, chance: 0 } };
  const seconds = flags.seconds === undefined ? Infinity : number('--seconds', flags.seconds);
  const beginMs = systemClock.nowMs();
  const secondsLeft = (): number => seconds - (systemClock.nowMs() - beginMs) / 1000;
  const out = flags.out ?? 'search';
  const print: Print = (line, text) => void stdout.write(flags.json ? `${JSON.stringify(line)}\n` : text);
  const log = await TrialLog.open(out);
  try {
    const nowMs = (): number => systemClock.nowMs();
    const events = eventsTo(print, task.population);
    const results = await withTraining(place, context, async ({ train, slots }) => {
      const found: SearchResult[] = [];
      for (let seed = 1; seed <= seeds; seed++)
        for (const method of wanted) {
          const needs = { train, nowMs, log, events };
          const result = await runSearch(method, seed, task, { slots, rules }, needs, secondsLeft);
          if (!result) return undefined;
          found.push(result);
          print({ type: 'search', ...result }, lineOf(result));
        }
      return found;
    });
    if (!results) {
      print({ type: 'unfinished' }, 'Some searches are still to be done: the same command goes on with them.\n');
      return;
    }
    const compared = compareMethods(results);
    const command = `lockstep ${argv.map(shellWord).join(' ')}`;
    const report = { formatVersion: 1, command, ...task, given: undefined, environment: undefined, results, compared };
    await writeFileAtomically(join(out, 'search.json'), [Buffer.from(`${JSON.stringify(report, undefined, 1)}\n`)]);
    const lines = compared.map(
      ({ method, searches, accuracy, loss }) =>
        `${method}: accuracy ${accuracy.mean.toFixed(4)} ±${accuracy.deviation.toFixed(4)}, loss ${loss.mean.toFixed(4)} ±${loss.deviation.toFixed(4)} over ${searches} searches of ${task.trials} trials\n`,
    );
    print({ type: 'result', ...report }, lines.join(''));
  } finally {
    await log.close();
  }
}

function lineOf({ method, seed, best, accuracy, testAccuracy, loss }: SearchResult): string {
  const words = Object.entries(best).map(([name, value]) => `${name}=${value}`);
  return `${method}, seed ${seed}: ${words.join(' ')}: accuracy ${accuracy.toFixed(4)}, test ${testAccuracy?.toFixed(4) ?? '-'}, loss ${loss.toFixed(4)}\n`;
}

function choice<const Choice extends string>(flag: string, given: string, choices: readonly Choice[]): Choice {
  const found = choices.find((each) => each === given);
  if (!found) throw cliFault('BAD_CHOICE', { flag, given, choices: choices.join(', ') });
  return found;
}
