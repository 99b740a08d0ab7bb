/** The command line, derived from the schema: what commander parses, and what `--help` says. */

import { Command as Commander, Help, Option } from 'commander';
import { defaultInWords } from '../config/documentation.js';
import type { BenchExchangeOptions } from './commands/bench-exchange.js';
import { isRunModule } from '../own/load-module.js';
import { cliFault } from './faults.js';
import { addEngineCommands, type EngineActions } from './engine-commands.js';
import { commands, groups, variableOf, type Command } from '../config/field.js';
import type { FieldName } from '../config/schema.js';
import { factsOf, fieldNames, hasField, type FlagValues } from '../config/sources.js';

const summaries: Record<Command, string> = {
  train: 'train on this machine: starts a coordinator and its workers, and waits for the result',
  coordinator: 'run the coordinator of a cluster by hand',
  worker: 'run one worker of a cluster by hand',
};

const descriptions: Record<Command, string> = {
  train: 'Trains a model on this machine: starts a coordinator and its workers as processes, and waits for the result.',
  coordinator:
    'Runs the coordinator of a cluster: waits for the workers, tells them what to compute, writes the results.',
  worker: 'Runs one worker of a cluster. What it computes it learns from its coordinator.',
};

const epilogue = `
Every option is also a key of the --config file and a variable: --micro-batch
is microBatchSize or micro-batch there, and ${variableOf('micro-batch')}. Flags are
stronger than variables, variables than the file: docs/configuration.md.
\`lockstep help errors\` lists all error codes with their remedies.`;

export interface Invocation {
  readonly command: Command;
  readonly flags: FlagValues;
  /** The file of --config. */
  readonly file: string | undefined;
}

export interface ProgramActions extends EngineActions {
  /** A command was asked for. */
  run(invocation: Invocation): Promise<void>;
  /** `bench exchange` */
  benchExchange(options: BenchExchangeOptions): Promise<void>;
  /** `help`, with a topic or without. */
  help(topic: string | undefined): Promise<void>;
}

/** Builds the parser. It throws CommanderError instead of exiting, for bad usage and after `--help` alike. */
export function createProgram(
  version: string,
  stdout: { write(text: string): unknown },
  actions: ProgramActions,
): Commander {
  const program = new Commander('lockstep')
    .description(
      'Synchronous data-parallel training on many machines: same result, bit for bit, on any number of workers.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this text, or the options of a command')
    .helpCommand(false)
    .enablePositionalOptions() //                                      options of a command and of one below it may be the same
    .exitOverride()
    .configureOutput({ writeOut: (text) => void stdout.write(text), writeErr: () => undefined })
    .configureHelp({ formatHelp: (command, helper) => Help.prototype.formatHelp.call(helper, command, helper) });
  for (const command of commands) program.addCommand(createCommand(command, program, actions));
  addEngineCommands(program, actions);
  const bench = program
    .command('bench')
    .copyInheritedSettings(program)
    .summary('measure parts of lockstep on this machine or between hosts')
    .description('Measures parts of lockstep.')
    .helpCommand(false)
    .helpOption('-h, --help', 'print this text');
  bench
    .command('exchange')
    .copyInheritedSettings(program)
    .summary('how fast workers sum their gradients')
    .description(
      'Sums vectors over processes of this machine, or over hosts: start it on each of them with the same --hosts and its own --rank. Time is the median of a call; bandwidths are as in the tests of NCCL; plain TCP moves the same bytes in the same minutes.',
    )
    .allowExcessArguments(false)
    .option('--workers <N>', 'processes on this machine', '2')
    .option('--floats <LIST>', 'sizes of the vector, with commas between them', '44426,1048576,26214400')
    .option('--topology <LIST>', 'mesh, direct or auto, or several with commas between them', 'auto')
    .option('--rounds <R>', 'turns of each candidate', '5')
    .option('--checksum', 'protect frames with a CRC32')
    .option('--exchange-memory <auto|off>', 'pass payloads through memory within a host', 'auto')
    .option('--codec <codec>', 'f32, bf16, int8 or topk (a fifth of the values)', 'f32')
    .option('--hosts <LIST>', 'HOST:PORT of every rank; the port after it is taken for plain TCP')
    .option('--rank <R>', 'which of --hosts this process is')
    .option('--json', 'print one JSON object a line')
    .helpOption('-h, --help', 'print this text')
    .action(async (options: BenchExchangeOptions) => actions.benchExchange(options));
  program
    .command('help')
    .argument('[topic]', `${commands.join(', ')}, errors, or the code of one`)
    .copyInheritedSettings(program)
    .description('print the options of a command, or all error codes with their remedies')
    .action(async (topic: string | undefined) => actions.help(topic));
  return program;
}

function createCommand(command: Command, program: Commander, actions: ProgramActions): Commander {
  const parser = new Commander(command)
    .copyInheritedSettings(program)
    .summary(summaries[command])
    .description(descriptions[command])
    .usage(takesModule(command) ? '[FILE.mjs] [options]' : '[options]')
    .allowExcessArguments(false)
    .optionsGroup('General:')
    .option('--config <FILE>', 'YAML file with options, such as the spec.json of an earlier run')
    .helpOption('-h, --help', 'print this text')
    .addHelpText('after', epilogue);

  const nameOf = new Map<string, FieldName>();
  for (const group of groups) {
    for (const name of fieldNames.filter((n) => hasField(command, n) && factsOf(n).group === group)) {
      const options = optionsFor(name, command).map((option) => option.helpGroup(`${group}:`));
      for (const option of options) parser.addOption(option);
      nameOf.set(options[0]?.attributeName() ?? name, name);
    }
  }

  if (takesModule(command)) parser.argument('[FILE.mjs]', 'a module that defines the run, as --module has it');
  return parser.action(async () => {
    const values: Record<string, string | boolean | readonly string[]> = parser.opts();
    const flags = new Map<FieldName, string | boolean | readonly string[]>();
    const [module] = parser.args;
    if (module !== undefined && !isRunModule(module)) throw cliFault('EXCESS_ARGUMENT', { command, given: module });
    if (module !== undefined) flags.set('module', module);
    for (const [attribute, name] of nameOf) {
      const value = values[attribute];
      if (value !== undefined && parser.getOptionValueSource(attribute) === 'cli') flags.set(name, value);
    }
    await actions.run({ command, flags, file: typeof values['config'] === 'string' ? values['config'] : undefined });
  });
}

/** Whether the command takes the module of a run as a word. */
function takesModule(command: Command): boolean {
  return command !== 'worker';
}

/** The flag, and for a switch also its hidden opposite. */
function optionsFor(name: FieldName, command: Command): Option[] {
  const { flag, placeholder, about, repeatable } = factsOf(name);
  const otherwise = defaultInWords(name, command);
  const description = `${about} (${otherwise === 'required' ? otherwise : `default: ${otherwise}`})`.replaceAll(
    '`',
    '',
  );
  if (placeholder === undefined) return [new Option(`--${flag}`, description), new Option(`--no-${flag}`).hideHelp()];
  const option = new Option(`--${flag} <${placeholder}>`, description);
  if (repeatable)
    option.argParser((value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value]);
  return [option];
}
