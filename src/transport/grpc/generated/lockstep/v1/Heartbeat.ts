// Original file: proto/coordinator.proto


export interface Heartbeat {
  'runId'?: (string);
}

export interface Heartbeat__Output {
  'runId': (string);
}
