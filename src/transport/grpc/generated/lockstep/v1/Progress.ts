// Original file: proto/coordinator.proto

import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from '../../lockstep/v1/Generation.js';
import type { Ended as _lockstep_v1_Ended, Ended__Output as _lockstep_v1_Ended__Output } from '../../lockstep/v1/Ended.js';
import type { StepRecord as _lockstep_v1_StepRecord, StepRecord__Output as _lockstep_v1_StepRecord__Output } from '../../lockstep/v1/StepRecord.js';
import type { EvaluationRecord as _lockstep_v1_EvaluationRecord, EvaluationRecord__Output as _lockstep_v1_EvaluationRecord__Output } from '../../lockstep/v1/EvaluationRecord.js';

export interface Progress {
  'runId'?: (string);
  'generation'?: (_lockstep_v1_Generation | null);
  'finishedStep'?: (number);
  'sealed'?: (_lockstep_v1_Generation | null);
  'ended'?: (_lockstep_v1_Ended | null);
  'steps'?: (_lockstep_v1_StepRecord)[];
  'evaluations'?: (_lockstep_v1_EvaluationRecord)[];
  'checkpointStep'?: (number);
  'secondsPerSample'?: (number | string);
}

export interface Progress__Output {
  'runId': (string);
  'generation': (_lockstep_v1_Generation__Output | null);
  'finishedStep': (number);
  'sealed': (_lockstep_v1_Generation__Output | null);
  'ended': (_lockstep_v1_Ended__Output | null);
  'steps': (_lockstep_v1_StepRecord__Output)[];
  'evaluations': (_lockstep_v1_EvaluationRecord__Output)[];
  'checkpointStep': (number);
  'secondsPerSample': (number);
}
