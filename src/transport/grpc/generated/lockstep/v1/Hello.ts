// Original file: proto/coordinator.proto


export interface Hello {
  'protocolVersion'?: (number);
  'numericsVersion'?: (number);
  'workerId'?: (string);
  'host'?: (string);
  'pid'?: (number);
  'metricsAddress'?: (string);
}

export interface Hello__Output {
  'protocolVersion': (number);
  'numericsVersion': (number);
  'workerId': (string);
  'host': (string);
  'pid': (number);
  'metricsAddress': (string);
}
