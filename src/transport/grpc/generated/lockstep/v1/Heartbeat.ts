// Original file: proto/coordinator.proto

import type { StepTiming as _lockstep_v1_StepTiming, StepTiming__Output as _lockstep_v1_StepTiming__Output } from '../../lockstep/v1/StepTiming.js';

export interface Heartbeat {
  'runId'?: (string);
  'sentAtMs'?: (number | string);
  'timings'?: (_lockstep_v1_StepTiming)[];
}

export interface Heartbeat__Output {
  'runId': (string);
  'sentAtMs': (number);
  'timings': (_lockstep_v1_StepTiming__Output)[];
}
