// Original file: proto/coordinator.proto

import type { Progress as _lockstep_v1_Progress, Progress__Output as _lockstep_v1_Progress__Output } from '../../lockstep/v1/Progress.js';

export interface Ready {
  'runId'?: (string);
  'address'?: (string);
  'engine'?: (string);
  'deterministic'?: (boolean);
  'parameterCount'?: (number);
  'weightsDigest'?: (string);
  'greeting'?: (_lockstep_v1_Progress | null);
}

export interface Ready__Output {
  'runId': (string);
  'address': (string);
  'engine': (string);
  'deterministic': (boolean);
  'parameterCount': (number);
  'weightsDigest': (string);
  'greeting': (_lockstep_v1_Progress__Output | null);
}
