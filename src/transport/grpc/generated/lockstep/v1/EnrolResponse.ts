// Original file: proto/gate.proto


export interface EnrolResponse {
  'certificate'?: (string);
  'ca'?: (string);
  'metricsToken'?: (string);
}

export interface EnrolResponse__Output {
  'certificate': (string);
  'ca': (string);
  'metricsToken': (string);
}
