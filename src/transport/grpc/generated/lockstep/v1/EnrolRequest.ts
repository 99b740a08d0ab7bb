// Original file: proto/gate.proto


export interface EnrolRequest {
  'token'?: (string);
  'name'?: (string);
  'publicKey'?: (Buffer | Uint8Array | string);
}

export interface EnrolRequest__Output {
  'token': (string);
  'name': (string);
  'publicKey': (Buffer);
}
