import { MalformedFrame } from './frame-codec.js';
import { prefixBytes } from './grpc-http2.js';

/** What a message may be long: far above a slice, and what gRPC itself takes by default. */
export const messageBytesMax = 4 * 1024 * 1024;

/**
 * Cuts a stream's bytes into gRPC messages. A message is put together in one buffer that is used again and again, where
 * its payload is aligned; one that came whole is not copied.
 */
export class MessageAssembler {
  private buffer = Buffer.alloc(0);
  private readonly prefix = Buffer.alloc(prefixBytes);
  /** Bytes of the prefix, then of prefix and message, that are there. */
  private filled = 0;
  /** Of the message under way; undefined while its prefix is not there. */
  private length: number | undefined;

  /** @param onMessage - its bytes are valid, and its to change, during the call */
  constructor(private readonly onMessage: (message: Buffer) => void) {}

  /** @throws MalformedFrame; what `onMessage` throws */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.byteLength;)
      at = this.length === undefined ? this.readPrefix(chunk, at) : this.readMessage(chunk, at);
  }

  private readPrefix(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.byteLength, at + prefixBytes - this.filled);
    chunk.copy(this.prefix, this.filled, at, end);
    this.filled += end - at;
    if (this.filled < prefixBytes) return end;
    const length = this.prefix.readUInt32BE(1);
    if (this.prefix[0] !== 0) throw new MalformedFrame('a compressed message');
    if (length > messageBytesMax) throw new MalformedFrame(`${length} bytes, where ${messageBytesMax} is the limit`);
    if (chunk.byteLength - end >= length) {
      this.filled = 0;
      this.onMessage(chunk.subarray(end, end + length));
      return end + length;
    }
    this.length = length;
    if (this.buffer.byteLength < prefixBytes + length) this.buffer = Buffer.allocUnsafeSlow(prefixBytes + length);
    return end;
  }

  private readMessage(chunk: Buffer, at: number): number {
    const whole = prefixBytes + this.length!;
    const end = Math.min(chunk.byteLength, at + whole - this.filled);
    chunk.copy(this.buffer, this.filled, at, end);
    this.filled += end - at;
    if (this.filled === whole) {
      this.filled = 0;
      this.length = undefined;
      this.onMessage(this.buffer.subarray(prefixBytes, whole));
    }
    return end;
  }
}
