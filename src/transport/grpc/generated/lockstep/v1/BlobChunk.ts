// Original file: proto/coordinator.proto


export interface BlobChunk {
  'data'?: (Buffer | Uint8Array | string);
}

export interface BlobChunk__Output {
  'data': (Buffer);
}
