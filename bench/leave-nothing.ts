/**
 * A benchmark that ends leaves no processes and no folders behind, whether it comes to its end, fails, or is told to end
 * (Ctrl-C, `kill`). Whoever starts processes imports this; it knows them all, also those that others start for it.
 *
 * What they start themselves is their matter: a program of ours ends with the `lockstep train` that started it.
 * `kill -9` of a benchmark leaves everything. So does `npm run build` meanwhile, in another way: processes that begin
 * after it are of the new build, or find half of it.
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

const children = new Set<ChildProcess>();
const undoings: (() => void)[] = [];

subscribe('child_process', (message) => {
  const { process: child } = message as { readonly process: ChildProcess };
  children.add(child);
  child.once('exit', () => children.delete(child));
});

process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL'); //             one that stands still (SIGSTOP) ends, too
  for (const undo of undoings.reverse()) undo();
});
// At once, by the way of 'exit': figures of a run that was cut short must not be printed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

/** @param undo - called at the end, after all processes have been ended; what was registered last goes first */
export function atEnd(undo: () => void): void {
  undoings.push(undo);
}

/** A folder for temporary files, which is removed at the end. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `lockstep-${name}-`));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
