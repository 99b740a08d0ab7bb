// Original file: proto/coordinator.proto


export interface Ended {
  'weightsDigest'?: (string);
  'targetReached'?: (boolean);
}

export interface Ended__Output {
  'weightsDigest': (string);
  'targetReached': (boolean);
}
