// Original file: proto/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface Place {
  'slot'?: (number);
  'bytes'?: (number);
  'payloadsRead'?: (number | string | Long);
}

export interface Place__Output {
  'slot': (number);
  'bytes': (number);
  'payloadsRead': (number);
}
