/** The commands that look at a run: they start nothing of it and change nothing in it. */

import type { Command as Commander } from 'commander';
import type { CommandContext } from './context.js';
import type { EventsOptions } from './commands/events.js';
import type { MonitorOptions } from './commands/monitor.js';
import type { TrustOptions } from './trust.js';

/** Where the coordinator of this machine serves, unless it was told otherwise. */
const here = 'http://127.0.0.1:9464/';

/** Commands and their flags, for what checks that documents show nothing else. */
export const onlookingFlags: Readonly<Record<string, readonly string[]>> = {
  top: ['--ca'],
  events: ['--ca', '--since', '--follow', '--nats', '--nats-creds', '--nats-ca', '--run'],
  explain: ['--ca', '--json'],
  monitor: ['--ca', '--port'],
};

export function addOnlookingCommands(program: Commander, context: CommandContext): void {
  const add = (name: string, argument: string, summary: string, description: string) =>
    program
      .command(name)
      .copyInheritedSettings(program)
      .summary(summary)
      .description(description)
      .argument(argument, 'URL of a coordinator (its first line says it), or the folder of a run', here)
      .option(
        '--ca <FILE>',
        'authority of a run with TLS: ca.pem of its certificates',
        context.environment['LOCKSTEP_CA'],
      )
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'print this text');
  add('top', '[URL]', 'watch a run in the terminal', 'Shows what the live page shows, in a terminal.').action(
    async (where: string, options: TrustOptions) => (await import('./commands/top.js')).run(where, options, context),
  );
  add(
    'events',
    '[RUN]',
    'print the events of a run, and follow it',
    'Prints what happened in a run, one JSON object a line: docs/events.md.',
  )
    .option('--since <SEQUENCE|TIME>', 'only events after this sequence, or from this time on (ISO 8601)', '0')
    .option('--follow', 'go on with what happens, until the run is over')
    .option(
      '--nats <URL>',
      'read them from this NATS server, which keeps them when the coordinator is gone; with --run',
    )
    .option('--nats-creds <FILE>', 'what the server knows us by', context.environment['LOCKSTEP_NATS_CREDS'])
    .option('--nats-ca <FILE>', 'authority behind its certificate', context.environment['LOCKSTEP_NATS_CA'])
    .option('--run <NAME>', 'name of the run in NATS')
    .action(async (where: string, options: EventsOptions) =>
      (await import('./commands/events.js')).run(where, options, context),
    );
  add(
    'explain',
    '[RUN]',
    'say where the time of a run went, and what to change',
    'Says in words where the time of a run went, what stands out, and what to do about it.',
  )
    .option('--json', 'print one JSON object')
    .action(async (where: string, options: TrustOptions & { json?: boolean }) =>
      (await import('./commands/explain.js')).run(where, options, context),
    );
  add(
    'monitor',
    '[URL]',
    'start Prometheus on a run, and Grafana where it is installed',
    'Starts Prometheus with the alerts and the service discovery of lockstep, and Alertmanager and Grafana where they are installed, until Ctrl-C.',
  )
    .option('--port <PORT>', 'port of Prometheus; 0 takes any free one', '9090')
    .action(async (where: string, options: MonitorOptions) =>
      (await import('./commands/monitor.js')).run(where, options, context),
    );
}
