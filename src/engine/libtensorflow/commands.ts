import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a program that was run to its end has written. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs programs for the installer; a test hands in others. */
export type Run = (program: string, args: readonly string[], folder: string) => Promise<Finished>;

/** @throws Error if the program cannot be started */
export const runProgram: Run = (program, args, folder) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });

/** The first of these programs that PATH has. */
export function firstOnPath(names: readonly string[], path = process.env['PATH'] ?? ''): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return names.find((name) => folders.some((folder) => isProgram(join(folder, name))));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The line of a program's complaints that says what is wrong; warnings and traces stand around it. */
export function complaintIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim().replace(/^(npm error|error:) ?/i, ''));
  const telling = lines.find((line) => /\b(error:|failed|not found|no matching|no space)/i.test(line));
  return telling ?? lines.filter((line) => line !== '').at(-1) ?? 'it gives no reason';
}
