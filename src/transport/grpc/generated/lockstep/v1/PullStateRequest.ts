// Original file: proto/exchange.proto


// Original file: proto/exchange.proto

export const _lockstep_v1_PullStateRequest_What = {
  TRAINING: 'TRAINING',
  BEST: 'BEST',
  CHECKPOINT: 'CHECKPOINT',
} as const;

export type _lockstep_v1_PullStateRequest_What =
  | 'TRAINING'
  | 0
  | 'BEST'
  | 1
  | 'CHECKPOINT'
  | 2

export type _lockstep_v1_PullStateRequest_What__Output = typeof _lockstep_v1_PullStateRequest_What[keyof typeof _lockstep_v1_PullStateRequest_What]

export interface PullStateRequest {
  'runId'?: (string);
  'term'?: (number);
  'generation'?: (number);
  'what'?: (_lockstep_v1_PullStateRequest_What);
  'step'?: (number);
  'write'?: (boolean);
  'seconds'?: (number | string);
}

export interface PullStateRequest__Output {
  'runId': (string);
  'term': (number);
  'generation': (number);
  'what': (_lockstep_v1_PullStateRequest_What__Output);
  'step': (number);
  'write': (boolean);
  'seconds': (number);
}
