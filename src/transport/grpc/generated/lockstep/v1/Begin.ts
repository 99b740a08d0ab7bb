// Original file: proto/coordinator.proto

import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from '../../lockstep/v1/Generation.js';
import type { Member as _lockstep_v1_Member, Member__Output as _lockstep_v1_Member__Output } from '../../lockstep/v1/Member.js';

export interface Begin {
  'runId'?: (string);
  'generation'?: (_lockstep_v1_Generation | null);
  'members'?: (_lockstep_v1_Member)[];
  'shares'?: (number)[];
  'donor'?: (number);
  'afterStep'?: (number);
  'lastStep'?: (number);
  'globalBatchSize'?: (number);
}

export interface Begin__Output {
  'runId': (string);
  'generation': (_lockstep_v1_Generation__Output | null);
  'members': (_lockstep_v1_Member__Output)[];
  'shares': (number)[];
  'donor': (number);
  'afterStep': (number);
  'lastStep': (number);
  'globalBatchSize': (number);
}
