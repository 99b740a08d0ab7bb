// Original file: proto/doctor.proto


export interface Filling {
  'data'?: (Buffer | Uint8Array | string);
}

export interface Filling__Output {
  'data': (Buffer);
}
