// Original file: proto/coordinator.proto


export interface Failed {
  'code'?: (string);
  'message'?: (string);
  'remedy'?: (string);
  'exitCode'?: (number);
}

export interface Failed__Output {
  'code': (string);
  'message': (string);
  'remedy': (string);
  'exitCode': (number);
}
