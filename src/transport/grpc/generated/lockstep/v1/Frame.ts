// Original file: proto/exchange.proto

import type { Place as _lockstep_v1_Place, Place__Output as _lockstep_v1_Place__Output } from '../../lockstep/v1/Place.js';
import type { Reading as _lockstep_v1_Reading, Reading__Output as _lockstep_v1_Reading__Output } from '../../lockstep/v1/Reading.js';
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
  'place'?: (_lockstep_v1_Place | null);
  'reading'?: (_lockstep_v1_Reading | null);
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
  'place': (_lockstep_v1_Place__Output | null);
  'reading': (_lockstep_v1_Reading__Output | null);
}
