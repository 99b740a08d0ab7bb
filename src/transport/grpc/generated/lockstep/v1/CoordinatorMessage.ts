// Original file: proto/coordinator.proto

import type { Welcome as _lockstep_v1_Welcome, Welcome__Output as _lockstep_v1_Welcome__Output } from '../../lockstep/v1/Welcome.js';
import type { Seal as _lockstep_v1_Seal, Seal__Output as _lockstep_v1_Seal__Output } from '../../lockstep/v1/Seal.js';
import type { Begin as _lockstep_v1_Begin, Begin__Output as _lockstep_v1_Begin__Output } from '../../lockstep/v1/Begin.js';
import type { End as _lockstep_v1_End, End__Output as _lockstep_v1_End__Output } from '../../lockstep/v1/End.js';
import type { Refused as _lockstep_v1_Refused, Refused__Output as _lockstep_v1_Refused__Output } from '../../lockstep/v1/Refused.js';
import type { Dismissed as _lockstep_v1_Dismissed, Dismissed__Output as _lockstep_v1_Dismissed__Output } from '../../lockstep/v1/Dismissed.js';
import type { Change as _lockstep_v1_Change, Change__Output as _lockstep_v1_Change__Output } from '../../lockstep/v1/Change.js';

export interface CoordinatorMessage {
  'welcome'?: (_lockstep_v1_Welcome | null);
  'seal'?: (_lockstep_v1_Seal | null);
  'begin'?: (_lockstep_v1_Begin | null);
  'end'?: (_lockstep_v1_End | null);
  'refused'?: (_lockstep_v1_Refused | null);
  'dismissed'?: (_lockstep_v1_Dismissed | null);
  'change'?: (_lockstep_v1_Change | null);
  'body'?: "welcome"|"seal"|"begin"|"end"|"refused"|"dismissed"|"change";
}

export interface CoordinatorMessage__Output {
  'welcome'?: (_lockstep_v1_Welcome__Output | null);
  'seal'?: (_lockstep_v1_Seal__Output | null);
  'begin'?: (_lockstep_v1_Begin__Output | null);
  'end'?: (_lockstep_v1_End__Output | null);
  'refused'?: (_lockstep_v1_Refused__Output | null);
  'dismissed'?: (_lockstep_v1_Dismissed__Output | null);
  'change'?: (_lockstep_v1_Change__Output | null);
  'body'?: "welcome"|"seal"|"begin"|"end"|"refused"|"dismissed"|"change";
}
