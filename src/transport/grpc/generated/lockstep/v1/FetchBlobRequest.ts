// Original file: proto/coordinator.proto


export interface FetchBlobRequest {
  'sha256'?: (string);
}

export interface FetchBlobRequest__Output {
  'sha256': (string);
}
