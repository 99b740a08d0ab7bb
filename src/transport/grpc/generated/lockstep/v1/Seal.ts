// Original file: proto/coordinator.proto

import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from '../../lockstep/v1/Generation.js';

export interface Seal {
  'runId'?: (string);
  'generation'?: (_lockstep_v1_Generation | null);
  'recordedStep'?: (number);
}

export interface Seal__Output {
  'runId': (string);
  'generation': (_lockstep_v1_Generation__Output | null);
  'recordedStep': (number);
}
