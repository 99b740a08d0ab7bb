/** Runs beside each other: what the folder of one says while it goes on, and the weights that one here ends with. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLine, runToEnd } from '../e2e/lockstep.js';

export interface RecordedStep {
  readonly step: number;
  readonly worldSize: number;
  readonly globalBatchSize: number;
}

/** Steps that are on record in a run's folder, the newest last; none as long as there is no folder. */
export function stepsIn(folder: string): readonly RecordedStep[] {
  const file = join(folder, 'metrics.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RecordedStep & { readonly testLoss?: number })
    .filter(({ testLoss }) => testLoss === undefined);
}

/** @returns the digest of the weights that `lockstep train` ends with in a folder of this machine */
export async function digestHere(folder: string, ...flags: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(['train', ...flags, '--metrics-port', '0', '--json'], folder);
  assert.equal(code, 0, stderr);
  return lastLine(stdout)['weightsDigest'] as string;
}
