// Original file: proto/doctor.proto


export interface GreetResponse {
  'packageVersion'?: (string);
  'protocolVersion'?: (number);
  'numericsVersion'?: (number);
  'runId'?: (string);
  'wallTimeMs'?: (number | string);
  'seenAt'?: (string);
}

export interface GreetResponse__Output {
  'packageVersion': (string);
  'protocolVersion': (number);
  'numericsVersion': (number);
  'runId': (string);
  'wallTimeMs': (number);
  'seenAt': (string);
}
