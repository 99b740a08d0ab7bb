/** Errors between threads. */
import { LockstepError, type ExitCode } from './errors.js';

/** An error as it travels: cloning would lose its class and its code. */
export interface SentError {
  readonly message: string;
  readonly stack: string;
  readonly fault?: { readonly code: string; readonly remedy: string; readonly exitCode: ExitCode };
}

export function sentError(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error), stack: '' };
  const sent = { message: error.message, stack: error.stack ?? '' };
  if (!(error instanceof LockstepError)) return sent;
  return { ...sent, fault: { code: error.code, remedy: error.remedy, exitCode: error.exitCode } };
}

export function restoreError({ message, stack, fault }: SentError): Error {
  const error = fault ? new LockstepError(fault.code, message, fault.remedy, fault.exitCode) : new Error(message);
  error.stack = stack;
  return error;
}
