// Original file: proto/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface VectorPart {
  'vector'?: (string);
  'offset'?: (number | string | Long);
  'data'?: (Buffer | Uint8Array | string);
}

export interface VectorPart__Output {
  'vector': (string);
  'offset': (number);
  'data': (Buffer);
}
