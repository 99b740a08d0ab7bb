// Original file: proto/exchange.proto

import type { VectorPart as _lockstep_v1_VectorPart, VectorPart__Output as _lockstep_v1_VectorPart__Output } from '../../lockstep/v1/VectorPart.js';

export interface StateChunk {
  'description'?: (string);
  'part'?: (_lockstep_v1_VectorPart | null);
  'body'?: "description"|"part";
}

export interface StateChunk__Output {
  'description'?: (string);
  'part'?: (_lockstep_v1_VectorPart__Output | null);
  'body'?: "description"|"part";
}
