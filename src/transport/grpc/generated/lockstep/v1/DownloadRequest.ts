// Original file: proto/doctor.proto


export interface DownloadRequest {
  'bytes'?: (number);
}

export interface DownloadRequest__Output {
  'bytes': (number);
}
