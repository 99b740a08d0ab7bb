/**
 * Errors that a person can act on: a code, one line that names the value, and a remedy.
 *
 * Each room declares its own table of faults beside its code (`src/<room>/faults.ts`), and `lockstep help errors` prints
 * them all. Everything else that is thrown is a bug and keeps its stack trace.
 */

/** 0 done, 1 failure, 2 usage, 3 cluster lost (a retry helps), 130 interrupted and saved. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** One kind of failure: what it means in general, and how to word one case of it. */
export interface FaultKind<Facts> {
  readonly exitCode: ExitCode;
  /** One sentence for `lockstep help errors`. */
  readonly meaning: string;
  /** One line, no full stop at its end, that names the value that was wrong. */
  readonly message: (facts: Facts) => string;
  /** What to do about it, as an instruction. */
  readonly remedy: string;
}

export type FaultTable = Readonly<Record<string, FaultKind<never>>>;

/** A failure with a code from a fault table. Its `message` is one line. */
export class LockstepError extends Error {
  override readonly name = 'LockstepError';
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
    readonly exitCode: ExitCode,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Makes the function with which a room throws its faults: `throw fault('PORT_IN_USE', { port })`. */
export function faultsFrom<T extends FaultTable>(table: T) {
  return <C extends keyof T & string>(
    code: C,
    facts: Parameters<T[C]['message']>[0],
    cause?: unknown,
  ): LockstepError => {
    const kind = table[code] as unknown as FaultKind<unknown>;
    return new LockstepError(code, kind.message(facts), kind.remedy, kind.exitCode, { cause });
  };
}

/** The first `LockstepError` in the chain of causes, if there is one. */
export function lockstepErrorIn(error: unknown): LockstepError | undefined {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof LockstepError) return e;
  return undefined;
}

/** A process's exit code as one of ours; any other is a failure. */
export function exitCodeOf(code: number): ExitCode {
  return code === 0 || code === 2 || code === 3 || code === 130 ? code : 1;
}
