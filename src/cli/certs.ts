/** `lockstep certs`: who may take part in a run. */

import type { Command as Commander } from 'commander';
import type { InitOptions, IssueOptions, RotateOptions, TokenOptions } from './commands/certs.js';
import type { CommandContext } from './context.js';

/** For what checks that documents show nothing else. */
export const certsFlags: Readonly<Record<string, readonly string[]>> = {
  certs: ['--dir', '--run', '--days', '--role', '--name', '--out', '--hours', '--uses'],
};

const dirHelp = 'folder of the authority, as `certs init` made it, or `security` in the folder of a run';

export function addCertsCommand(program: Commander, context: CommandContext): void {
  const certs = program
    .command('certs')
    .copyInheritedSettings(program)
    .summary('make certificates and join tokens')
    .description('Makes the certificates with which the programs of a run know each other: docs/security.md.')
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text');
  const add = (name: string, summary: string) =>
    certs
      .command(name)
      .copyInheritedSettings(program)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'print this text');
  const module = () => import('./commands/certs.js');
  add('init', 'make an authority, which certifies the programs of its runs')
    .requiredOption('--dir <DIR>', 'folder to make')
    .option('--run <NAME>', 'what the authority is called')
    .option('--days <N>', 'how long it is valid', '365')
    .action(async (options: InitOptions) => (await module()).init(options, context));
  add('issue', 'make key and certificate for one program')
    .requiredOption('--dir <DIR>', dirHelp)
    .requiredOption('--out <FOLDER>', 'where they go; what lies there is replaced')
    .option('--role <coordinator|worker>', 'what its holder may be', 'worker')
    .option('--name <NAME>', 'what its holder is called; by default as this machine')
    .option('--hours <N>', 'how long it is valid', '720')
    .action(async (options: IssueOptions) => (await module()).issue(options, context));
  add('rotate', 'make new keys and certificates for the holders of old ones, who go on with them without a pause')
    .argument('<FOLDER...>', 'where `certs issue` put them')
    .requiredOption('--dir <DIR>', dirHelp)
    .option('--hours <N>', 'how long they are valid', '720')
    .action(async (folders: readonly string[], options: RotateOptions) =>
      (await module()).rotate(folders, options, context),
    );
  add('token', 'print a join token, with which workers get certificates from the coordinator')
    .requiredOption('--dir <DIR>', dirHelp)
    .option('--uses <N>', 'how many workers may join with it', '1')
    .option('--hours <N>', 'how long it is valid', '1')
    .action(async (options: TokenOptions) => (await module()).token(options, context));
}
