// Original file: proto/coordinator.proto

import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from '../../lockstep/v1/Generation.js';

export interface End {
  'runId'?: (string);
  'generation'?: (_lockstep_v1_Generation | null);
}

export interface End__Output {
  'runId': (string);
  'generation': (_lockstep_v1_Generation__Output | null);
}
