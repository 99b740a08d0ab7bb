// Original file: proto/coordinator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlobChunk as _lockstep_v1_BlobChunk, BlobChunk__Output as _lockstep_v1_BlobChunk__Output } from '../../lockstep/v1/BlobChunk.js';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from '../../lockstep/v1/CoordinatorMessage.js';
import type { FetchBlobRequest as _lockstep_v1_FetchBlobRequest, FetchBlobRequest__Output as _lockstep_v1_FetchBlobRequest__Output } from '../../lockstep/v1/FetchBlobRequest.js';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from '../../lockstep/v1/WorkerMessage.js';

export interface CoordinatorClient extends grpc.Client {
  FetchBlob(argument: _lockstep_v1_FetchBlobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlobChunk__Output>;
  FetchBlob(argument: _lockstep_v1_FetchBlobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlobChunk__Output>;
  fetchBlob(argument: _lockstep_v1_FetchBlobRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlobChunk__Output>;
  fetchBlob(argument: _lockstep_v1_FetchBlobRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_BlobChunk__Output>;
  
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage__Output>;
  
}

export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  FetchBlob: grpc.handleServerStreamingCall<_lockstep_v1_FetchBlobRequest__Output, _lockstep_v1_BlobChunk>;
  
  Join: grpc.handleBidiStreamingCall<_lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  FetchBlob: MethodDefinition<_lockstep_v1_FetchBlobRequest, _lockstep_v1_BlobChunk, _lockstep_v1_FetchBlobRequest__Output, _lockstep_v1_BlobChunk__Output>
  Join: MethodDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_CoordinatorMessage, _lockstep_v1_WorkerMessage__Output, _lockstep_v1_CoordinatorMessage__Output>
}
