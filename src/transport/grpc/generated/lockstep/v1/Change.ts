// Original file: proto/coordinator.proto

import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from '../../lockstep/v1/Generation.js';
import type { Member as _lockstep_v1_Member, Member__Output as _lockstep_v1_Member__Output } from '../../lockstep/v1/Member.js';

export interface Change {
  'runId'?: (string);
  'generation'?: (_lockstep_v1_Generation | null);
  'since'?: (_lockstep_v1_Generation | null);
  'gone'?: (number)[];
  'joined'?: (_lockstep_v1_Member)[];
  'runLengths'?: (number)[];
  'donor'?: (number);
  'afterStep'?: (number);
  'lastStep'?: (number);
  'globalBatchSize'?: (number);
  'runShares'?: (number)[];
}

export interface Change__Output {
  'runId': (string);
  'generation': (_lockstep_v1_Generation__Output | null);
  'since': (_lockstep_v1_Generation__Output | null);
  'gone': (number)[];
  'joined': (_lockstep_v1_Member__Output)[];
  'runLengths': (number)[];
  'donor': (number);
  'afterStep': (number);
  'lastStep': (number);
  'globalBatchSize': (number);
  'runShares': (number)[];
}
