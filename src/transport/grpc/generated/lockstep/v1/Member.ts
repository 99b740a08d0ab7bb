// Original file: proto/coordinator.proto


export interface Member {
  'workerId'?: (string);
  'address'?: (string);
}

export interface Member__Output {
  'workerId': (string);
  'address': (string);
}
