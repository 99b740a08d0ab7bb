// Original file: proto/coordinator.proto


export interface Refused {
  'code'?: (string);
  'message'?: (string);
  'remedy'?: (string);
  'exitCode'?: (number);
}

export interface Refused__Output {
  'code': (string);
  'message': (string);
  'remedy': (string);
  'exitCode': (number);
}
