import { status } from '@grpc/grpc-js';
import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';

/**
 * gRPC over Node's own HTTP/2, for calls with one request and a stream of answers (PROTOCOL-HTTP2.md of grpc/grpc): any gRPC
 * client or server may be at the other end. grpc-js allocates and copies every message once more on either side; for
 * gradients that was half of the time, most of it garbage collection (docs/performance.md).
 */

/** Before each message: a byte that says whether it is compressed, and its length. */
export const prefixBytes = 5;
/** With the default window of 64 KiB a stream moves a fraction of what it does with this one. */
export const windowBytes = 16 * 1024 * 1024;

/** Of a request; they hold a few numbers and a name. */
const requestBytesMax = 64 * 1024;

export function writePrefix(bytes: Buffer, length: number): void {
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
}

export function withPrefix(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(prefixBytes + message.byteLength);
  writePrefix(bytes, message.byteLength);
  bytes.set(message, prefixBytes);
  return bytes;
}

/** The one message of a request. @throws Error for what is none */
export async function readRequest(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length > requestBytesMax) throw new Error(`a request of more than ${requestBytesMax} bytes`);
  }
  const bytes = Buffer.concat(chunks);
  if (length < prefixBytes || bytes[0] !== 0 || bytes.readUInt32BE(1) !== length - prefixBytes)
    throw new Error('a request that is not one plain message');
  return bytes.subarray(prefixBytes);
}

/** Begins the answer; when the stream is ended, its status is OK. */
export function beginAnswer(stream: ServerHttp2Stream, metadata: OutgoingHttpHeaders = {}): void {
  const headers = { ':status': 200, 'content-type': 'application/grpc', ...metadata };
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status.OK) }));
}

/** Ends a call that was not answered yet. */
export function refuse(stream: ServerHttp2Stream, code: status, details: string): void {
  if (stream.destroyed || stream.headersSent) return stream.close();
  const headers: OutgoingHttpHeaders = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': String(code),
    'grpc-message': encodeURI(details),
  };
  stream.respond(headers, { endStream: true });
}

export function requestHeaders(path: string): OutgoingHttpHeaders {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
}

/** Calls `onStatus` when a call ends with a status that is not OK, in words. */
export function onRefusal(stream: ClientHttp2Stream, onStatus: (reason: string) => void): void {
  const look = (headers: IncomingHttpHeaders): void => {
    const code: status = Number(headers['grpc-status'] ?? status.OK);
    if (code === status.OK) return;
    const details = headers['grpc-message'];
    onStatus(`${decodeURI(typeof details === 'string' ? details : '')} (${status[code] ?? code})`);
  };
  stream.on('response', look);
  stream.on('trailers', look);
}
