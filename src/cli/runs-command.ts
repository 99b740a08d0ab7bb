/** `lockstep runs`: which there are, and what is left of those that are over. */

import type { Command as Commander } from 'commander';
import type { FetchOptions } from './commands/fetch.js';
import type { RunsOptions } from './commands/runs.js';
import type { CommandContext } from './context.js';
import { addNatsOptions, natsFlags } from './nats-options.js';

/** For what checks that documents show nothing else. */
export const runsFlags: Readonly<Record<string, readonly string[]>> = {
  runs: [...natsFlags, '--json', '--prune', '--out'],
};

export function addRunsCommand(program: Commander, context: CommandContext): void {
  const runs = addNatsOptions(program.command('runs'), context, 'optional')
    .copyInheritedSettings(program)
    .summary('list the runs that NATS knows, or bring results here')
    .description('Lists the runs that NATS knows: docs/launch.md.')
    .option('--json', 'print one JSON object a line')
    .option('--prune', 'forget those that are over')
    .allowExcessArguments(false)
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text')
    .action(async (options: RunsOptions) => (await import('./commands/runs.js')).list(options, context));
  addNatsOptions(runs.command('fetch'), context)
    .copyInheritedSettings(program)
    .summary('bring the results of a run here')
    .description(
      'Brings the results of a run that is over here, from the agent that has them: weights, report, metrics, the newest checkpoint.',
    )
    .argument('<RUN>', 'its name')
    .option('--out <DIR>', 'where to; by default runs/RUN')
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text')
    .action(async (run: string, options: FetchOptions) =>
      (await import('./commands/fetch.js')).run(run, options, context),
    );
}
