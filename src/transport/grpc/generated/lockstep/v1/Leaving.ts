// Original file: proto/coordinator.proto


export interface Leaving {
  'runId'?: (string);
}

export interface Leaving__Output {
  'runId': (string);
}
