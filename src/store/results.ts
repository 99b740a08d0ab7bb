/** What of a run's folder its owner wants to have, wherever it was computed. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointName, isCheckpointName, newestStepIn } from './checkpoints.js';

/** Enough to judge, to use and to resume the run; locks, certificates and logs of processes are of the machine. */
const lasting = [
  'spec.json',
  'journal.jsonl',
  'metrics.jsonl',
  'events.jsonl',
  'best.safetensors',
  'final.safetensors',
  'report.json',
  'report.html',
  'picture.json',
] as const;
const checkpointFolder = 'checkpoints';

export interface ResultFile {
  /** Under the run's folder, with `/`. */
  readonly name: string;
  readonly bytes: number;
}

/** @returns none if the run did not come as far as its first checkpoint */
export async function resultsIn(folder: string): Promise<readonly ResultFile[]> {
  const step = await newestStepIn(join(folder, checkpointFolder));
  const names = [...lasting, ...(step === 0 ? [] : [`${checkpointFolder}/${checkpointName(step)}`])];
  const files: ResultFile[] = [];
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.isFile() === true) files.push({ name, bytes: found.size });
  }
  return files.some(({ name }) => name.endsWith('.safetensors')) ? files : [];
}

/** Whether a run may have a result of this name: one that comes from elsewhere could lead out of the run's folder. */
export function isResultName(name: string): boolean {
  const inCheckpoints = `${checkpointFolder}/`;
  if (name.startsWith(inCheckpoints)) return isCheckpointName(name.slice(inCheckpoints.length));
  return lasting.some((each) => each === name);
}
