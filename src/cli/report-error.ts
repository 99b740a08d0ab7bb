/** The one place where an error becomes what a person or a program reads, and an exit code. */

import { lockstepErrorIn, type ExitCode } from '../core/errors.js';
import { jsonLine } from './view/json-lines.js';

export interface ErrorOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Whether stdout is for JSON lines: the error is then its last one. */
  readonly json: boolean;
  /** Whether to show the stack of what nobody foresaw. */
  readonly debug: boolean;
}

const bugRemedy = 'this is a bug of lockstep: please report it; --log-level debug shows where it happened';

/** Never throws, whatever was thrown. */
export function reportError(error: unknown, { stdout, stderr, json, debug }: ErrorOutput): ExitCode {
  const foreseen = lockstepErrorIn(error);
  const code = foreseen?.code ?? 'INTERNAL';
  const message = oneLine(
    foreseen?.message ?? (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );
  const remedy = foreseen?.remedy ?? bugRemedy;
  stderr.write(`error: ${message} [${code}]\nremedy: ${remedy}\n`);
  if (debug && error instanceof Error)
    for (let e: unknown = error; e instanceof Error; e = e.cause) stderr.write(`${e.stack ?? e.message}\n`);
  if (json) stdout.write(jsonLine({ type: 'error', code, message, remedy }));
  return foreseen?.exitCode ?? 1;
}

function oneLine(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
