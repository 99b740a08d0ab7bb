/** `lockstep doctor`: why a worker cannot join from here, or how well it could. */

import type { Command as Commander } from 'commander';
import type { DoctorOptions } from './commands/doctor.js';
import type { CommandContext } from './context.js';
import type { QueueActions } from './queue-commands.js';

const options = [
  ['--coordinator <HOST:PORT>', 'the coordinator to join, or several with commas between'],
  ['--token <TOKEN>', 'the join token that the coordinator printed; LOCKSTEP_TOKEN hides it from others'],
  ['--certs <DIR>', 'folder with the certificate of a worker'],
  ['--insecure', 'without TLS, as the coordinator'],
  ['--listen <HOST>', 'address at which the worker would listen'],
  ['--advertise <HOST>', 'name or address under which others would reach it'],
  ['--exchange-port <PORT>', 'port for the exchange with other workers'],
  ['--name <NAME>', 'what the worker would be called'],
  ['--cache-dir <DIR>', 'where the certificate is kept that a token is exchanged for'],
  ['--json', 'print one JSON object a line'],
] as const;

/** For what checks that documents show nothing else. */
export const doctorFlags: Readonly<Record<string, readonly string[]>> = {
  doctor: options.map(([flags]) => flags.split(' ')[0]!),
};

export function addDoctorCommand(
  program: Commander,
  context: CommandContext,
  { exit }: Pick<QueueActions, 'exit'>,
): void {
  const command = program
    .command('doctor')
    .copyInheritedSettings(program)
    .summary('test the way from here to a coordinator, and say what to open')
    .description(
      'Goes the way of a worker to its coordinator: names, port, TLS, versions, clocks, round trip, bandwidth and the port for other workers. Takes no part in the run. Exit code 1 if a worker could not work here.',
    )
    .allowExcessArguments(false)
    .helpOption('-h, --help', 'print this text');
  for (const [flags, about] of options) command.option(flags, about);
  command.action(async (given: DoctorOptions) =>
    exit(await (await import('./commands/doctor.js')).run(given, context)),
  );
}
