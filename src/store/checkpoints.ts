/** The checkpoints of a run's folder: which there are, which is the newest whole one, which may go. */
import { createHash } from 'node:crypto';
import { open, readdir, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isUnfinished, syncFolder, writeFault } from '../core/atomic-file.js';
import { decodeCheckpoint, type CheckpointFacts } from './checkpoint-file.js';

/** Ends the name of a checkpoint that was found damaged: nobody takes it for one, and it can still be looked at. */
const damagedSuffix = '.damaged';
const fileName = /^(\d{8,})\.safetensors$/;
/** Read at a time: one call of the system is not asked for more than 2 GiB. */
const pieceBytes = 1 << 26;

/** `00000120.safetensors`: names sort as steps do. */
export function checkpointName(step: number): string {
  return `${String(step).padStart(8, '0')}.safetensors`;
}

/** Whether that is what a checkpoint is called. */
export function isCheckpointName(name: string): boolean {
  return fileName.test(name);
}

/** Where the worker that copied a checkpoint writes it, in a folder that several runs may share. */
export function sharedCheckpointPath(folder: string, runId: string, step: number): string {
  return join(folder, runId, checkpointName(step));
}

/** A checkpoint on the disk, read and found whole. */
export interface FoundCheckpoint extends CheckpointFacts {
  readonly path: string;
  /** SHA-256 of the whole file, hexadecimal: its name where it travels. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * The newest whole checkpoint. Each one that is not is passed over, and put aside under another name.
 *
 * @param folder - that holds nothing but checkpoints, and is this process's own at the moment
 * @param passedOver - told of each damaged one, with the reason in words
 * @returns undefined when none is left
 */
export async function newestCheckpoint(
  folder: string,
  passedOver: (name: string, reason: string) => void,
): Promise<FoundCheckpoint | undefined> {
  const names = await readdir(folder).catch(() => []); //            no folder: no checkpoints
  for (const name of names.filter(isUnfinished)) await rm(join(folder, name), { force: true });
  for (const { name } of newestFirst(names)) {
    const path = join(folder, name);
    try {
      const content = await readWhole(path);
      const { facts } = decodeCheckpoint(content, path);
      return { ...facts, path, sha256: digestOf(content), bytes: content.length };
    } catch (error) {
      passedOver(name, error instanceof Error ? error.message : String(error));
      await rename(path, path + damagedSuffix).catch(() => undefined); // it stays in the way, and is passed over again
    }
  }
  return undefined;
}

/**
 * Removes all but the newest.
 *
 * @param keep - how many stay
 * @param kept - a step whose checkpoint stays in any case: workers may still ask for it
 */
export async function removeOldCheckpoints(folder: string, keep: number, kept?: number): Promise<void> {
  try {
    const old = newestFirst(await readdir(folder)).slice(keep);
    for (const { name, step } of old) {
      if (step === kept) continue;
      const path = join(folder, name);
      const target = await readlink(path).catch(() => undefined); //  in a shared folder
      if (target !== undefined) await rm(target, { force: true });
      await rm(path, { force: true });
    }
    if (old.length > 0) await syncFolder(folder);
  } catch (error) {
    throw writeFault(folder, error);
  }
}

/** By name alone; 0 when there is none. */
export async function newestStepIn(folder: string): Promise<number> {
  return newestFirst(await readdir(folder).catch(() => []))[0]?.step ?? 0;
}

function newestFirst(names: readonly string[]): readonly { readonly name: string; readonly step: number }[] {
  return names
    .flatMap((name) => {
      const digits = fileName.exec(name)?.[1];
      return digits === undefined ? [] : { name, step: Number(digits) };
    })
    .sort((a, b) => b.step - a.step);
}

async function readWhole(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const content = Buffer.alloc((await file.stat()).size);
    for (let offset = 0; offset < content.length;) {
      const { bytesRead } = await file.read(content, offset, Math.min(pieceBytes, content.length - offset), offset);
      if (bytesRead === 0) throw new Error('it became shorter while it was read');
      offset += bytesRead;
    }
    return content;
  } finally {
    await file.close();
  }
}

function digestOf(content: Buffer): string {
  const hash = createHash('sha256');
  for (let at = 0; at < content.length; at += pieceBytes) hash.update(content.subarray(at, at + pieceBytes));
  return hash.digest('hex');
}
