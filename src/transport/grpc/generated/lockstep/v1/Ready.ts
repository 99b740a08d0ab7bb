// Original file: proto/coordinator.proto


export interface Ready {
  'runId'?: (string);
  'address'?: (string);
  'engine'?: (string);
  'deterministic'?: (boolean);
  'parameterCount'?: (number);
  'weightsDigest'?: (string);
}

export interface Ready__Output {
  'runId': (string);
  'address': (string);
  'engine': (string);
  'deterministic': (boolean);
  'parameterCount': (number);
  'weightsDigest': (string);
}
