import { exchangeProtoService } from './definitions.js';
import { prefixBytes, withPrefix, writePrefix } from './grpc-http2.js';

/**
 * `StateChunk` of proto/exchange.proto. A part's data is its last field, so that what comes before it is written by hand and
 * the data is sent from where it lies: whoever receives it is a member, without whom no step overwrites the state.
 */

const delimited = 2;
const varint = 0;
/** Field numbers. */
const partOf = 2;
const [vectorOf, offsetOf, dataOf] = [1, 2, 3];

/** With gRPC's prefix. */
export function descriptionMessage(description: string): Buffer {
  return withPrefix(exchangeProtoService.PullState.responseSerialize({ description }));
}

/** What comes before the data of a part, gRPC's prefix included. */
export function partHead(vector: string, offset: number, dataBytes: number): Buffer {
  const name = Buffer.from(vector);
  const within = Buffer.concat([
    field(vectorOf, delimited, name.byteLength),
    name,
    field(offsetOf, varint, offset),
    field(dataOf, delimited, dataBytes),
  ]);
  const head = Buffer.concat([field(partOf, delimited, within.byteLength + dataBytes), within]);
  const prefix = Buffer.alloc(prefixBytes);
  writePrefix(prefix, head.byteLength + dataBytes);
  return Buffer.concat([prefix, head]);
}

/** Tag and number: a value, or how many bytes follow. */
function field(number: number, wireType: number, value: number): Buffer {
  const bytes = [(number << 3) | wireType];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  bytes.push(value);
  return Buffer.from(bytes);
}
