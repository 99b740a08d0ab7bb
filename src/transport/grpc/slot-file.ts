import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sliceFloatsMax } from '../../collective/owner-map.js';
import { roundOrder, type Frame } from '../../collective/frame.js';
import type { Generation } from '../../cluster/messages.js';
import type { Place } from './frame-codec.js';

/**
 * Memory that the workers of one host share: a file on tmpfs, in which a sender puts payloads and from which receivers read
 * them to where they belong. That is two copies by the system at the speed of memory, where HTTP/2 takes five and a system
 * call for every 16 KiB.
 *
 * The file has no name. It is removed as soon as it is made, and receivers open it through `/proc/PID/fd/FD`, which needs the
 * same user and the same view of processes; so whatever becomes of its processes, the system frees it with the last of
 * them. It belongs to one generation: a worker that missed a change of membership reads what it was sent, or nothing.
 */

/** Smaller payloads travel in the stream, where they cost no more. */
export const placedBytesMin = 4096;
/** A slot holds the largest slice. */
export const slotBytes = sliceFloatsMax * 4;
/** Enough for a sender to be ahead of its receivers, and few enough to stay in a processor's cache. */
const slotCount = 16;
/** Before the slots: what the file is. */
export const keyAt = 0;
export const firstSlotAt = 4096;
export const tmpfsFolder = '/dev/shm';
const tmpfsType = 0x01021994;

/** What a receiver has to know, as it travels in the metadata `lockstep-memory`. */
export interface SlotOffer {
  readonly pid: number;
  readonly fd: number;
  readonly slots: number;
  readonly slotBytes: number;
}

export const offerHeader = 'lockstep-memory';

export function formatOffer({ pid, fd, slots, slotBytes: bytes }: SlotOffer): string {
  return [pid, fd, slots, bytes].join(' ');
}

/** @returns undefined for what is none */
export function parseOffer(text: string): SlotOffer | undefined {
  if (!/^\d{1,10} \d{1,10} \d{1,4} \d{1,7}$/.test(text)) return undefined;
  const [pid, fd, slots, bytes] = text.split(' ').map(Number) as [number, number, number, number];
  return { pid, fd, slots, slotBytes: bytes };
}

/** What the file of a rank begins with: nobody takes another file for it. */
export function slotFileKey(runId: string, { term, number }: Generation, rank: number): Buffer {
  return createHash('sha256').update(`${runId}\n${term}\n${number}\n${rank}`).digest();
}

/** After how many payloads a receiver says so: all of them together never hold more than half of the slots by silence. */
export function payloadsPerReading(slots: number, worldSize: number): number {
  return Math.max(1, Math.floor(slots / (2 * Math.max(1, worldSize - 1))));
}

interface Slot {
  readonly index: number;
  readonly frame: Frame;
  /** Who was told to read it and has not said that it did. */
  readers: number;
}

/** The sender's side: which slots are free, and who still has to read the others. */
export class SlotFile {
  /** The slot that was freed last is taken first: it is in the cache. */
  private readonly free = Array.from({ length: slotCount }, (_, i) => slotCount - 1 - i);
  /** What lies in a slot, by payload: one that several peers get is written once. */
  private readonly written = new Map<Uint8Array, Slot>();
  /** By rank: what it was sent and has not read, in order. */
  private readonly unread = new Map<number, Slot[]>();
  private readonly payloadsRead = new Map<number, number>();
  /** By rank, of readers that are gone: payloads that they were sent in all. */
  private readonly sentToGone = new Map<number, number>();
  private isUsable = true;

  private constructor(private readonly fd: number) {}

  /**
   * @param folder - on tmpfs
   * @returns undefined where there is no such memory, or less of it free than twice what is needed
   */
  static create(key: Buffer, folder: string): SlotFile | undefined {
    const bytes = firstSlotAt + slotCount * slotBytes;
    let fd: number | undefined;
    try {
      const { type, bavail, bsize } = statfsSync(folder);
      if (type !== tmpfsType || bavail * bsize < 2 * bytes) return undefined;
      const path = join(folder, `lockstep-${process.pid}-${key.toString('hex', 0, 8)}`);
      fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      ftruncateSync(fd, bytes);
      writeSync(fd, key, 0, key.byteLength, keyAt);
      return new SlotFile(fd);
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined; //                                            bytes then travel in the stream
    }
  }

  get offer(): SlotOffer {
    return { pid: process.pid, fd: this.fd, slots: slotCount, slotBytes };
  }

  /**
   * Puts the frame's payload where `reader` may read it.
   *
   * @returns `full` until somebody has read; `unfit` for a payload that has to travel in the stream
   */
  place(frame: Frame, reader: number): Place | 'full' | 'unfit' {
    const bytes = frame.payload.byteLength;
    if (!this.isUsable || bytes > slotBytes || bytes < placedBytesMin) return 'unfit';
    const slot = this.slotWith(frame) ?? this.write(frame);
    if (typeof slot === 'string') return slot;
    slot.readers += 1;
    const unread = this.unread.get(reader);
    if (unread) unread.push(slot);
    else this.unread.set(reader, [slot]);
    return { slot: slot.index, bytes };
  }

  /**
   * @param payloads - that `reader` has read, since the beginning
   * @returns whether that is possible; if not, nothing has changed
   */
  read(reader: number, payloads: number): boolean {
    const sentInAll = this.sentToGone.get(reader);
    if (sentInAll !== undefined) return payloads <= sentInAll;
    const before = this.payloadsRead.get(reader) ?? 0;
    const unread = this.unread.get(reader) ?? [];
    if (payloads < before || payloads - before > unread.length) return false;
    this.payloadsRead.set(reader, payloads);
    for (const slot of unread.splice(0, payloads - before)) this.release(slot);
    return true;
  }

  /**
   * This reader will read nothing any more. What it has read before it may still say: our stream to it and its own to us end
   * independently of each other.
   */
  gone(reader: number): void {
    const unread = this.unread.get(reader)?.splice(0) ?? [];
    if (!this.sentToGone.has(reader)) this.sentToGone.set(reader, (this.payloadsRead.get(reader) ?? 0) + unread.length);
    for (const slot of unread) this.release(slot);
  }

  /** Whom the others wait for when all slots are taken. */
  slowestReader(): number | undefined {
    const [slowest] = [...this.unread].sort(([, a], [, b]) => b.length - a.length);
    return slowest?.[0];
  }

  close(): void {
    if (this.isUsable) closeSync(this.fd);
    this.isUsable = false;
  }

  private slotWith(frame: Frame): Slot | undefined {
    const slot = this.written.get(frame.payload);
    return slot && isSame(slot.frame, frame) ? slot : undefined;
  }

  private write(frame: Frame): Slot | 'full' | 'unfit' {
    const index = this.free.pop();
    if (index === undefined) return 'full';
    const { payload } = frame;
    let bytes = 0;
    try {
      bytes = writeSync(this.fd, payload, 0, payload.byteLength, firstSlotAt + index * slotBytes);
    } catch {
      // No space left, since others fill the memory, too.
    }
    if (bytes < payload.byteLength) {
      this.close();
      return 'unfit';
    }
    const slot = { index, frame, readers: 0 };
    this.written.set(payload, slot);
    return slot;
  }

  private release(slot: Slot): void {
    if (--slot.readers > 0) return;
    this.free.push(slot.index);
    if (this.written.get(slot.frame.payload) === slot) this.written.delete(slot.frame.payload);
  }
}

/** Whether both carry the same values, if their payloads are one object. */
function isSame(a: Frame, b: Frame): boolean {
  return a.kind === b.kind && a.slice === b.slice && a.node === b.node && roundOrder(a.round) === roundOrder(b.round);
}
