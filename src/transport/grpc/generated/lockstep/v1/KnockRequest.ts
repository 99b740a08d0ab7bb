// Original file: proto/doctor.proto


export interface KnockRequest {
  'port'?: (number);
}

export interface KnockRequest__Output {
  'port': (number);
}
