import type { Command as Commander } from 'commander';
import type { CommandContext } from './context.js';

export const natsFlags = ['--nats', '--nats-creds', '--nats-ca'];

/** The options of a command that finds its server by them, or by the variables. */
export function addNatsOptions(
  command: Commander,
  { environment }: CommandContext,
  need: 'required' | 'optional' = 'required',
): Commander {
  const [flags, about] = ['--nats <URL>', 'a NATS server with JetStream'];
  const known = environment['LOCKSTEP_NATS'];
  (need === 'required' ? command.requiredOption(flags, about, known) : command.option(flags, about, known))
    .option('--nats-creds <FILE>', 'what it knows us by', environment['LOCKSTEP_NATS_CREDS'])
    .option('--nats-ca <FILE>', 'authority behind its certificate', environment['LOCKSTEP_NATS_CA']);
  return command;
}
