// Original file: proto/coordinator.proto


export interface Welcome {
  'runId'?: (string);
  'runSpec'?: (string);
}

export interface Welcome__Output {
  'runId': (string);
  'runSpec': (string);
}
