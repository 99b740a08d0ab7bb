// Original file: proto/exchange.proto

import type { Long } from '@grpc/proto-loader';

export interface Reading {
  'payloads'?: (number | string | Long);
}

export interface Reading__Output {
  'payloads': (number);
}
