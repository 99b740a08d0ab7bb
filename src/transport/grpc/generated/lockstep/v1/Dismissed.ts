// Original file: proto/coordinator.proto


export interface Dismissed {
  'runId'?: (string);
}

export interface Dismissed__Output {
  'runId': (string);
}
