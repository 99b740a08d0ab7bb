/** The commands of the laboratory: many trainings, to find out about batch sizes, workers and options. */

import { Option, type Command as Commander } from 'commander';
import type { FieldName } from '../config/schema.js';
import { factsOf, fieldNames, hasField, type FlagValues } from '../config/sources.js';
import type { CommandContext } from './context.js';
import type { PlanFlags } from './commands/plan.js';
import type { SearchFlags } from './commands/search.js';
import type { SweepFlags } from './commands/sweep.js';

/** A sweep reads these in its own way, or they mean nothing to it. */
const own: ReadonlySet<FieldName> = new Set(['targetAccuracy', 'replay']);

/** Options of a run that mean something to a trial: what it computes, not where its results and messages go. */
export const trialFields: readonly FieldName[] = fieldNames.filter((name) => {
  const { group, local } = factsOf(name);
  const isAboutResult = group === 'Model and data' || group === 'Optimizer' || group === 'Batches and steps';
  return (
    hasField('train', name) && !local && (isAboutResult || name === 'workers' || name === 'engine') && !own.has(name)
  );
});

const placeOptions: readonly (readonly [flags: string, about: string])[] = [
  ['--nats <URL>', 'queue the trials as runs for the agents of this NATS server; as many at a time as they have slots'],
  ['--nats-creds <FILE>', 'what it knows us by'],
  ['--nats-ca <FILE>', 'authority behind its certificate'],
];

const sweepOptions: readonly (readonly [flags: string, about: string])[] = [
  [
    '--preset <NAME>',
    'seed, seed-scaled, fast-99 or full-batch; options that are given as well take the place of its own',
  ],
  ['--out <DIR>', 'folder of the trials; the same command goes on where it stopped (default: sweep)'],
  ['--target-accuracy <LIST>', 'accuracies to look for, with commas between them; a trial ends at the highest'],
  ['--beyond-target', 'a trial goes on behind its highest target, to its end'],
  ['--seeds <N>', 'the seeds 1 to N; instead of --seed'],
  [
    '--patience <SAMPLES>',
    'a trial that is no better than guessing after so many samples, and 200 steps, is hopeless; 0: never (default: 25000)',
  ],
  ['--trial-seconds <S>', 'a trial that has trained for so long is cut off'],
  ['--seconds <S>', 'no trial begins later than this; the rest waits for the next time'],
  ['--slots <N>', 'trials at a time; each takes as many threads as its workers (default: 1)'],
  ['--threads <T>', 'engine threads of each worker (default: 1)'],
  ...placeOptions,
  ['--json', 'print one JSON object a line'],
];

const searchOptions: readonly (readonly [flags: string, about: string])[] = [
  ['--method <LIST>', 'pso, ga or random, or several with commas between them (default: pso)'],
  [
    '--space <NAME=LOW..HIGH>',
    'what to choose and between which bounds, once for each: lr=0.001..1:log, momentum=0..0.99, global-batch=32..512:log,step=32',
  ],
  ['--trials <N>', 'trials of a search (default: 40)'],
  ['--population <N>', 'trials of a generation, which may run side by side (default: 8)'],
  ['--objective <WHAT>', 'accuracy or loss of the last evaluation (default: accuracy)'],
  ['--search-seeds <N>', 'searches with each method, with the seeds 1 to N (default: 1)'],
  ['--out <DIR>', 'folder of the trials; the same command goes on where it stopped (default: search)'],
  ['--seconds <S>', 'no generation begins later than this; the rest waits for the next time'],
  ['--slots <N>', 'trials at a time (default: 1)'],
  ['--threads <T>', 'engine threads of each worker (default: 1)'],
  ...placeOptions,
  ['--json', 'print one JSON object a line'],
];

const planOptions: readonly (readonly [flags: string, about: string])[] = [
  ['--target-accuracy <A>', 'accuracy to plan for (default: 0.98)'],
  ['--max-workers <N>', 'plan for 1, 2, 4 and so on up to so many workers (default: 64)'],
  [
    '--cores <C>',
    'cores that all workers share, for several on one machine: an exchange of two that compute is measured, too (default: each has its own)',
  ],
  ['--out <FILE>', 'where the plan is kept, for --from'],
  ['--from <FILE>', 'a plan that was kept: nothing is measured again'],
  ['--compare <RUN>', 'folder of a run that has ended: say what the plan would have predicted for it'],
  ['--json', 'print one JSON object a line'],
];

const fieldFlags = trialFields.map((name) => `--${factsOf(name).flag}`);

/** Commands and their flags, for what checks that documents show nothing else. */
export const labFlags: Readonly<Record<string, readonly string[]>> = {
  sweep: [...fieldFlags, ...sweepOptions.map(([flags]) => flags.split(' ')[0]!)],
  plan: [...fieldFlags, ...planOptions.map(([flags]) => flags.split(' ')[0]!)],
  search: [...fieldFlags, ...searchOptions.map(([flags]) => flags.split(' ')[0]!)],
};

export function addLabCommands(program: Commander, context: CommandContext): void {
  const sweep = program
    .command('sweep')
    .copyInheritedSettings(program)
    .summary('train with many batch sizes, and say which to take')
    .description(
      'Trains once for each combination of the values that are given with commas between them (batch size, learning rate, optimizer, workers, seed and so on), and reports what each needed: a table, sweep.csv, sweep.json and sweep.html.',
    )
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text');
  for (const [flags, about] of sweepOptions) sweep.option(flags, about);
  const nameOf = addTrialOptions(sweep);
  sweep.action(async (values: SweepFlags & Record<string, unknown>) =>
    (await import('./commands/sweep.js')).run(values, givenIn(sweep, nameOf), context),
  );
  const search = program
    .command('search')
    .copyInheritedSettings(program)
    .summary('look for good options with a particle swarm, a genetic algorithm or at random')
    .description(
      'Trains many times with options that a particle swarm, a genetic algorithm or chance chooses, and says which were the best. What is found does not depend on how many trials run at a time.',
    )
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text');
  for (const [flags, about] of searchOptions) {
    const option = new Option(flags, about);
    if (flags.startsWith('--space'))
      option.argParser((value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value]);
    search.addOption(option);
  }
  const searchNames = addTrialOptions(search);
  search.action(async (values: SearchFlags & Record<string, unknown>) =>
    (await import('./commands/search.js')).run(values, givenIn(search, searchNames), context),
  );
  const plan = program
    .command('plan')
    .copyInheritedSettings(program)
    .summary('say how many workers are worth it, from one short run')
    .description(
      'Trains once with one worker and measures an exchange, and predicts for more workers: images per second, the batch and learning rate to take, steps and time to the target, and from where on more of them save little.',
    )
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text');
  for (const [flags, about] of planOptions) plan.option(flags, about);
  const planNames = addTrialOptions(plan);
  plan.action(async (values: PlanFlags & Record<string, unknown>) =>
    (await import('./commands/plan.js')).run(values, givenIn(plan, planNames), context),
  );
}

function addTrialOptions(parser: Commander): ReadonlyMap<string, FieldName> {
  const nameOf = new Map<string, FieldName>();
  for (const name of trialFields) {
    const { flag, placeholder, about, repeatable } = factsOf(name);
    const option = new Option(
      placeholder === undefined ? `--${flag}` : `--${flag} <${placeholder}>`,
      about.replaceAll('`', ''),
    ).helpGroup('As for train:');
    if (repeatable)
      option.argParser((value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value]);
    parser.addOption(option);
    nameOf.set(option.attributeName(), name);
  }
  return nameOf;
}

function givenIn(parser: Commander, nameOf: ReadonlyMap<string, FieldName>): FlagValues {
  const values = parser.opts<Record<string, string | boolean | readonly string[]>>();
  return new Map(
    [...nameOf].flatMap(([attribute, name]) => {
      const value = values[attribute];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
