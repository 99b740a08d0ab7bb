import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import type { Fetchable } from '../../collective/frame.js';
import { MalformedFrame, type Place } from './frame-codec.js';
import { firstSlotAt, keyAt, payloadsPerReading, placedBytesMin, slotBytes, type SlotOffer } from './slot-file.js';

/** A peer may offer less than we would, and nothing larger. */
const slotsMax = 1024;

/** What a link knows about a payload that is read at some time. */
export interface PayloadChecks {
  /** @throws MalformedFrame if the bytes are not those that were sent */
  check(bytes: Uint8Array): void;
  /** What to throw when it cannot be read, or was not what was sent. */
  refusal(error: unknown): unknown;
}

/** The receiver's side of a peer's `SlotFile`. */
export class PeerSlots {
  /** Those that are read later, oldest first. */
  private readonly kept: PlacedPayload[] = [];
  private readonly spare: Buffer[] = [];
  /** That were read here. */
  private payloads = 0;
  /** Called with `payloads` after each. */
  onRead: ((payloads: number) => void) | undefined;

  /** @param keepMax - payloads that may stay where they are until they are wanted */
  private constructor(
    private readonly fd: number,
    private readonly offer: SlotOffer,
    readonly keepMax: number,
  ) {}

  /**
   * Opens what a peer offers, if it is what it should be: on this host, this user's, and the file of that rank in this
   * generation. A worker in another container may see another process under that number.
   *
   * @param key - `slotFileKey` of the peer
   * @param worldSize - ranks that may share it
   * @returns undefined otherwise: bytes then travel in the stream
   */
  static open(offer: SlotOffer, key: Buffer, worldSize: number): PeerSlots | undefined {
    if (offer.slots < 1 || offer.slots > slotsMax || offer.slotBytes < 1 || offer.slotBytes > slotBytes)
      return undefined;
    const path = `/proc/${offer.pid}/fd/${offer.fd}`;
    let fd: number | undefined;
    try {
      if (!isSlotFile(statSync(path), offer)) return undefined; //    opening some devices has effects
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const found = Buffer.alloc(key.byteLength);
      if (
        isSlotFile(fstatSync(fd), offer) &&
        readSync(fd, found, 0, found.byteLength, keyAt) === key.byteLength &&
        found.equals(key)
      )
        return new PeerSlots(fd, offer, payloadsPerReading(offer.slots, worldSize));
    } catch {
      // It is not here.
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  /**
   * Hands a payload to `receive`, for which it is read when it is asked for.
   *
   * @throws MalformedFrame for a place that does not exist; what `receive` throws
   */
  deliver(place: Place, checks: PayloadChecks, receive: (payload: Fetchable) => void): void {
    const { slots, slotBytes: bytesMax } = this.offer;
    const { slot, bytes } = place;
    if (slot >= slots || bytes > bytesMax || bytes < placedBytesMin)
      throw new MalformedFrame(`${bytes} bytes in slot ${slot}, of ${slots} slots with ${bytesMax} bytes`);
    const payload = new PlacedPayload(this, place, checks);
    receive(payload);
    payload.received();
  }

  /** A payload that waits for its round. A few may stay where they are; then the oldest is copied, as slots are few. */
  keep(payload: PlacedPayload): void {
    this.kept.push(payload);
    if (this.kept.length > this.keepMax)
      this.kept.shift()!.copyTo(this.spare.pop() ?? Buffer.allocUnsafeSlow(slotBytes));
  }

  unkeep(payload: PlacedPayload): void {
    const at = this.kept.indexOf(payload);
    if (at >= 0) this.kept.splice(at, 1);
  }

  recycle(copy: Buffer): void {
    this.spare.push(copy);
  }

  /** @param target - as long as the place @throws MalformedFrame */
  read({ slot, bytes }: Place, target: Uint8Array): void {
    const read = readSync(this.fd, target, 0, bytes, firstSlotAt + slot * this.offer.slotBytes);
    if (read !== bytes) throw new MalformedFrame(`${read} bytes in slot ${slot}, not ${bytes}`);
  }

  /** One payload less is needed where it lies. */
  released(): void {
    this.payloads += 1;
    this.onRead?.(this.payloads);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A payload in a peer's slot. Payloads of one peer are released in the order in which they came, as its count needs. */
class PlacedPayload implements Fetchable {
  private state: 'arrived' | 'kept' | 'released' = 'arrived';
  private copy: Buffer | undefined;

  constructor(
    private readonly slots: PeerSlots,
    private readonly place: Place,
    private readonly checks: PayloadChecks,
  ) {}

  get byteLength(): number {
    return this.place.bytes;
  }

  fetch(target: Uint8Array): void {
    if (this.copy) {
      target.set(this.copy.subarray(0, this.byteLength));
      this.slots.recycle(this.copy);
      this.copy = undefined;
      return;
    }
    this.read(target);
    this.release();
  }

  keep(): this {
    this.state = 'kept';
    this.slots.keep(this);
    return this;
  }

  /** @param copy - at least as long */
  copyTo(copy: Buffer): void {
    const bytes = copy.subarray(0, this.byteLength);
    this.read(bytes);
    this.copy = copy;
    this.release();
  }

  /** Whoever was to receive it has returned: if it was not wanted, it is not needed any more. */
  received(): void {
    if (this.state === 'arrived') this.release();
  }

  private read(target: Uint8Array): void {
    try {
      this.slots.read(this.place, target);
      this.checks.check(target);
    } catch (error) {
      throw this.checks.refusal(error);
    }
  }

  private release(): void {
    if (this.state === 'kept') this.slots.unkeep(this);
    this.state = 'released';
    this.slots.released();
  }
}

function isSlotFile(stats: Stats, { slots, slotBytes: bytes }: SlotOffer): boolean {
  const isOwn = stats.uid === process.getuid!() && (stats.mode & 0o077) === 0;
  return stats.isFile() && isOwn && stats.size === firstSlotAt + slots * bytes;
}
