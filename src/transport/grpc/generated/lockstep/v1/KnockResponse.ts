// Original file: proto/doctor.proto


export interface KnockResponse {
  'reason'?: (string);
}

export interface KnockResponse__Output {
  'reason': (string);
}
