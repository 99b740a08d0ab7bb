// Original file: proto/coordinator.proto


export interface Welcome {
  'runId'?: (string);
  'runSpec'?: (string);
  'recordedStep'?: (number);
  'hubPort'?: (number);
}

export interface Welcome__Output {
  'runId': (string);
  'runSpec': (string);
  'recordedStep': (number);
  'hubPort': (number);
}
