/** `lockstep runs`: which there are, and what is left of those that are over. */

import type { Command as Commander } from 'commander';
import type { FetchOptions } from './commands/fetch.js';
import type { PruneOptions, RunsOptions } from './commands/runs.js';
import type { CommandContext } from './context.js';
import { addNatsOptions, natsFlags } from './nats-options.js';

/** For what checks that documents show nothing else. */
export const runsFlags: Readonly<Record<string, readonly string[]>> = {
  runs: [...natsFlags, '--dir', '--json', '--out', '--older-than', '--keep', '--dry-run'],
};

export function addRunsCommand(program: Commander, context: CommandContext): void {
  const module = () => import('./commands/runs.js');
  const finish = (command: Commander): Commander =>
    command
      .copyInheritedSettings(program)
      .allowExcessArguments(false)
      .helpCommand(false)
      .helpOption('-h, --help', 'print this text');
  const runs = finish(program.command('runs'))
    .summary('list runs; bring results here, or free their disk')
    .description('Lists the runs that NATS knows, or else those in a folder here: docs/launch.md.');
  whose(runs)
    .option('--json', 'print one JSON object a line')
    .action(async (options: RunsOptions) => (await module()).list(options, context));
  addNatsOptions(finish(runs.command('fetch')), context)
    .summary('bring the results of a run here')
    .description(
      'Brings the results of a run that is over here, from the agent that has them: weights, report, metrics, the newest checkpoint.',
    )
    .argument('<RUN>', 'its name')
    .option('--out <DIR>', 'where to; by default runs/RUN')
    .action(async (run: string, options: FetchOptions) =>
      (await import('./commands/fetch.js')).run(run, options, context),
    );
  whose(finish(runs.command('prune')))
    .summary('remove runs that are over, with their results')
    .description(
      'Removes runs that are over, with their results: those that NATS knows, there and on the hosts that have them, or else those in a folder here.',
    )
    .option('--older-than <AGE>', 'only those that ended so long ago: 7d, 12h, 30m')
    .option('--keep <N>', 'not the newest N')
    .option('--dry-run', 'only say what would go')
    .option('--json', 'print one JSON object a line')
    .action(async (options: PruneOptions) => (await module()).prune(options, context));

  function whose(command: Commander): Commander {
    return addNatsOptions(command, context, 'optional').option('--dir <DIR>', 'a folder of runs here; by default runs');
  }
}
