// Original file: proto/coordinator.proto

import type { Hello as _lockstep_v1_Hello, Hello__Output as _lockstep_v1_Hello__Output } from '../../lockstep/v1/Hello.js';
import type { Ready as _lockstep_v1_Ready, Ready__Output as _lockstep_v1_Ready__Output } from '../../lockstep/v1/Ready.js';
import type { Sealed as _lockstep_v1_Sealed, Sealed__Output as _lockstep_v1_Sealed__Output } from '../../lockstep/v1/Sealed.js';
import type { Progress as _lockstep_v1_Progress, Progress__Output as _lockstep_v1_Progress__Output } from '../../lockstep/v1/Progress.js';
import type { Failed as _lockstep_v1_Failed, Failed__Output as _lockstep_v1_Failed__Output } from '../../lockstep/v1/Failed.js';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from '../../lockstep/v1/Heartbeat.js';
import type { Leaving as _lockstep_v1_Leaving, Leaving__Output as _lockstep_v1_Leaving__Output } from '../../lockstep/v1/Leaving.js';

export interface WorkerMessage {
  'hello'?: (_lockstep_v1_Hello | null);
  'ready'?: (_lockstep_v1_Ready | null);
  'sealed'?: (_lockstep_v1_Sealed | null);
  'progress'?: (_lockstep_v1_Progress | null);
  'failed'?: (_lockstep_v1_Failed | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat | null);
  'leaving'?: (_lockstep_v1_Leaving | null);
  'body'?: "hello"|"ready"|"sealed"|"progress"|"failed"|"heartbeat"|"leaving";
}

export interface WorkerMessage__Output {
  'hello'?: (_lockstep_v1_Hello__Output | null);
  'ready'?: (_lockstep_v1_Ready__Output | null);
  'sealed'?: (_lockstep_v1_Sealed__Output | null);
  'progress'?: (_lockstep_v1_Progress__Output | null);
  'failed'?: (_lockstep_v1_Failed__Output | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat__Output | null);
  'leaving'?: (_lockstep_v1_Leaving__Output | null);
  'body'?: "hello"|"ready"|"sealed"|"progress"|"failed"|"heartbeat"|"leaving";
}
