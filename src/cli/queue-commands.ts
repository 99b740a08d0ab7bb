/** The commands for many hosts: agents, and runs that are queued for them in NATS. */

import type { Command as Commander } from 'commander';
import type { ExitCode } from '../core/errors.js';
import type { AgentCommandOptions } from './commands/agent.js';
import type { LaunchOptions } from './commands/launch.js';
import type { QueueOptions } from './commands/queue.js';
import type { CommandContext } from './context.js';
import { addNatsOptions, natsFlags } from './nats-options.js';

/** For what checks that documents show nothing else; `launch` takes those of the coordinator, too. */
export const queueFlags: Readonly<Record<string, readonly string[]>> = {
  agent: [...natsFlags, '--slots', '--name', '--dir', '--listen', '--advertise', '--insecure', '--accept-shipped'],
  nodes: [...natsFlags, '--json'],
  logs: [...natsFlags, '--follow'],
  stop: [...natsFlags],
  attach: [...natsFlags],
};
export const launchFlags = [...natsFlags, '--workers', '--max-workers', '--run', '--priority', '--detach'];

export interface QueueActions {
  /** What comes of a command that has an exit code of its own. */
  exit(code: ExitCode): void;
  /** @throws LockstepError if a coordinator would not take these flags */
  checkFlags(flags: readonly string[]): Promise<void>;
}

export function addQueueCommands(program: Commander, context: CommandContext, actions: QueueActions): void {
  const add = (name: string, summary: string) =>
    addNatsOptions(program.command(name), context)
      .copyInheritedSettings(program)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}: docs/launch.md.`)
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'print this text');
  const queue = () => import('./commands/queue.js');

  add('agent', 'offer the slots of this machine to runs in NATS')
    .option('--slots <auto|N>', 'workers at a time; auto is one for each GPU, else one with all cores', 'auto')
    .option('--name <NAME>', 'what this agent is called; by default as this machine')
    .option('--dir <DIR>', 'where it keeps logs and results; by default ~/.local/state/lockstep/agent/HOST')
    .option('--listen <HOST>', 'address at which the programs of the runs listen', '127.0.0.1')
    .option('--advertise <HOST>', 'name or address under which others reach them')
    .option('--insecure', 'the programs use no TLS; all agents have to say it')
    .option('--accept-shipped', 'workers run the modules that launched runs bring (--ship)')
    .action(async (options: AgentCommandOptions) => (await import('./commands/agent.js')).run(options, context));
  add('launch', 'queue a run for the agents, and follow it')
    .argument('[FLAGS...]', 'what to compute, as for lockstep coordinator')
    .requiredOption('--workers <N>', 'slots that it needs')
    .option('--max-workers <N>', 'slots that it takes where nobody else wants them; by default as many as it needs')
    .option('--run <NAME>', 'what it is called; by default a name is made')
    .option('--priority <P>', 'runs with a higher one go first', '5')
    .option('--detach', 'do not follow it')
    .allowUnknownOption()
    .allowExcessArguments(true)
    .action(async (flags: readonly string[], options: LaunchOptions) => {
      await actions.checkFlags(flags);
      actions.exit(await (await import('./commands/launch.js')).run(flags, options, context));
    });
  add('nodes', 'list the hosts with agents, and their free slots')
    .option('--json', 'print one JSON object a line')
    .action(async (options: QueueOptions) => (await queue()).nodes(options, context));
  add('logs', 'print what the programs of a run log')
    .argument('<RUN>', 'its name')
    .option('--follow', 'go on with what comes, until the run is over')
    .action(async (run: string, options: QueueOptions) => (await queue()).logs(run, options, context));
  add('stop', 'end a run at a step boundary, with everything saved')
    .argument('<RUN>', 'its name')
    .action(async (run: string, options: QueueOptions) => (await queue()).stop(run, options, context));
  add('attach', 'follow a run')
    .argument('<RUN>', 'its name')
    .action(async (run: string, options: QueueOptions) =>
      actions.exit(await (await queue()).attach(run, options, context)),
    );
}
