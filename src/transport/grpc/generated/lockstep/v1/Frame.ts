// Original file: proto/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface Frame {
  'kind'?: (number);
  'generation'?: (number);
  'step'?: (number);
  'purpose'?: (number);
  'slice'?: (number);
  'node'?: (number);
  'crc32'?: (number);
  'run'?: (number | string | Long);
  'sequence'?: (number | string | Long);
  'payload'?: (Buffer | Uint8Array | string);
}

export interface Frame__Output {
  'kind': (number);
  'generation': (number);
  'step': (number);
  'purpose': (number);
  'slice': (number);
  'node': (number);
  'crc32': (number);
  'run': (number);
  'sequence': (number);
  'payload': (Buffer);
}
