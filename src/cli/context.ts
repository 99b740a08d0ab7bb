import type { ExitCode } from '../core/errors.js';
import type { ConfigOf, Command, LoadedConfig } from '../config/index.js';

/** What a command is handed by main.ts. */
export interface CommandContext {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** What followed `lockstep` on the command line, the command's name included. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `src/cli/commands/<command>.ts` exports one of these as `run`. What it throws becomes one line on stderr. */
export type CommandRun<C extends Command> = (
  loaded: LoadedConfig<ConfigOf<C>>,
  context: CommandContext,
) => Promise<ExitCode>;
