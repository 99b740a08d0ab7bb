/** `lockstep`: reads the command line, loads the configuration, hands over to a command, reports what goes wrong. */

import { CommanderError, type Command as Commander } from 'commander';
import { fault } from '../config/faults.js';
import { commands, type Command } from '../config/field.js';
import { loadConfig } from '../config/index.js';
import { factsOf, fieldNames, fieldOfFlag, hasField } from '../config/sources.js';
import type { ExitCode } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import type { CommandContext, CommandRun } from './context.js';
import { cliFault } from './faults.js';
import { addFurtherCommands, furtherFlags } from './further.js';
import { createProgram, type Invocation, type ProgramActions } from './program.js';
import { reportError } from './report-error.js';
import { readVersion } from './version.js';

/**
 * Runs one command line to its end.
 *
 * @param argv - what follows `lockstep`
 * @returns the exit code; the caller ends the process with it
 */
export async function main(
  argv: readonly string[],
  { stdout, stderr, env }: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'> = process,
): Promise<ExitCode> {
  ignoreBrokenPipe(stdout);
  ignoreBrokenPipe(stderr);
  const context: CommandContext = { stdout, stderr, argv, environment: env };
  // Until the configuration is loaded this is all that is known; an error in it must still reach a program as JSON.
  let json = argv.includes('--json') || env['LOCKSTEP_JSON'] === 'true' || env['LOCKSTEP_JSON'] === '1';
  let debug =
    /--log-level[= ](debug|trace)/.test(argv.join(' ')) || /^(debug|trace)$/.test(env['LOCKSTEP_LOG_LEVEL'] ?? '');
  let exitCode: ExitCode = 0;
  const actions: ProgramActions = {
    async run(invocation) {
      exitCode = await runCommand(invocation, context, (settings) => ({ json, debug } = settings));
    },
    async engines(options) {
      const { run } = await import('./commands/engines.js');
      await run(options, context);
    },
    async installTensorflow(options) {
      const { run } = await import('./commands/install-tensorflow.js');
      await run(options, context);
    },
    async benchExchange(options) {
      const { run } = await import('./commands/bench-exchange.js');
      await run(options, context);
    },
    async help(topic) {
      await printHelp(topic, program, stdout);
    },
  };
  const program = createProgram(readVersion(), stdout, actions);
  addFurtherCommands(program, context, {
    exit: (code) => (exitCode = code),
    checkFlags: (flags) => checkCoordinatorFlags(flags, actions),
  });
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help and --version end like this
    return reportError(error instanceof CommanderError ? usageFault(error, argv) : error, {
      stdout,
      stderr,
      json,
      debug,
    });
  }
}

/** What a coordinator would say to these flags, before it is started somewhere else. */
async function checkCoordinatorFlags(flags: readonly string[], actions: ProgramActions): Promise<void> {
  const argv = ['coordinator', ...flags];
  const checking = createProgram(
    readVersion(),
    { write: () => undefined },
    {
      ...actions,
      run: (invocation) => Promise.resolve(void loadConfig('coordinator', { ...invocation, environment: {} })),
    },
  );
  try {
    await checking.parseAsync(argv, { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? usageFault(error, argv) : error;
  }
}

/** Commands without a configuration. */
const others = ['engines', ...Object.keys(furtherFlags)];

/** What is left after a command, such as the connection to a peer that is stopped, may hold up the process for so long. */
const lingerMs = 1_000;

/** Runs one command line as this process. It ends by itself, or is ended when something that nobody needs holds it up. */
export async function runProcess(argv: readonly string[]): Promise<void> {
  process.exitCode = await main(argv);
  setTimeout(() => process.exit(), lingerMs).unref();
}

async function runCommand(
  invocation: Invocation,
  context: CommandContext,
  onLoaded: (settings: { json: boolean; debug: boolean }) => void,
): Promise<ExitCode> {
  async function execute<C extends Command>(
    command: C,
    module: () => Promise<{ run: CommandRun<C> }>,
  ): Promise<ExitCode> {
    const loaded = loadConfig(command, { ...invocation, environment: context.environment });
    const { json, logLevel } = loaded.config as { json?: boolean; logLevel?: string };
    onLoaded({ json: json ?? false, debug: logLevel === 'debug' || logLevel === 'trace' });
    const { run } = await module();
    return run(loaded, context);
  }
  // Commands are imported when they are needed: `--help` loads neither gRPC nor TensorFlow.js.
  switch (invocation.command) {
    case 'train':
      return execute('train', () => import('./commands/train.js'));
    case 'coordinator':
      return execute('coordinator', () => import('./commands/coordinator.js'));
    case 'worker':
      return execute('worker', () => import('./commands/worker.js'));
  }
}

async function printHelp(topic: string | undefined, program: Commander, stdout: NodeJS.WriteStream): Promise<void> {
  if (topic === undefined) return program.outputHelp();
  if (topic === 'errors') {
    const { catalogueText, errorCatalogue } = await import('./error-catalogue.js');
    stdout.write(catalogueText(await errorCatalogue()));
    return;
  }
  const command = program.commands.find((c) => c.name() === topic);
  if (command !== undefined) return command.outputHelp();
  const { entryText, errorCatalogue } = await import('./error-catalogue.js');
  const entries = await errorCatalogue();
  const entry = entries.find(({ code }) => code === topic.toUpperCase());
  if (entry === undefined) {
    const topics = [...commands, ...others, 'errors', ...entries.map(({ code }) => code)];
    throw cliFault('UNKNOWN_COMMAND', { name: topic, hint: didYouMean(topic, topics) });
  }
  stdout.write(entryText(entry));
}

/** What commander calls wrong, in our words: it knows neither the flags of other commands nor our codes. */
function usageFault(error: CommanderError, argv: readonly string[]): Error {
  const [, quoted = ''] = /'([^']*)'/.exec(error.message) ?? [];
  const [flagText = ''] = quoted.split(/[= ]/, 1);
  const command = commands.find((c) => c === argv.find((word) => !word.startsWith('-')));
  switch (error.code) {
    case 'commander.unknownOption':
      return unknownFlag(flagText, command);
    case 'commander.optionMissingArgument': {
      const name = fieldOfFlag(flagText.replace(/^--/, ''));
      return fault('MISSING_VALUE', { flag: flagText, placeholder: (name && factsOf(name).placeholder) ?? 'FILE' });
    }
    case 'commander.unknownCommand':
      return cliFault('UNKNOWN_COMMAND', { name: quoted, hint: didYouMean(quoted, [...commands, ...others, 'help']) });
    case 'commander.excessArguments': {
      const end = argv.indexOf(quoted) + 1; //                        `cache list` is two words
      return cliFault('EXCESS_ARGUMENT', { command: argv.slice(0, end).join(' '), given: strayWord(argv.slice(end)) });
    }
    default:
      return cliFault('BAD_USAGE', { message: error.message.replace(/^error: /, '') });
  }
}

function unknownFlag(flag: string, command: Command | undefined): Error {
  const name = fieldOfFlag(flag.replace(/^--(no-)?/, ''));
  if (name !== undefined && command !== undefined && !hasField(command, name))
    return fault('FLAG_OF_ANOTHER_COMMAND', { flag, command, owners: factsOf(name).commands });
  if (command === undefined && name !== undefined) return cliFault('COMMAND_MISSING', { flag });
  const known = fieldNames
    .filter((n) => command === undefined || hasField(command, n))
    .map((n) => `--${factsOf(n).flag}`);
  return fault('UNKNOWN_FLAG', { flag, hint: didYouMean(flag, [...known, '--config', '--help']) });
}

/** The first word after a command that is neither a flag nor probably a flag's value. */
function strayWord(words: readonly string[]): string {
  return words.find((word, i) => !word.startsWith('-') && !words[i - 1]?.startsWith('--')) ?? words.at(-1) ?? '';
}

/** `lockstep help errors | head` is no failure. The run itself goes on: its results are in its folder. */
function ignoreBrokenPipe(stream: NodeJS.WriteStream): void {
  if (stream.listeners('error').includes(onStreamError)) return;
  stream.on('error', onStreamError);
}

function onStreamError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
