// Original file: proto/exchange.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Frame as _lockstep_v1_Frame, Frame__Output as _lockstep_v1_Frame__Output } from '../../lockstep/v1/Frame.js';
import type { PullRequest as _lockstep_v1_PullRequest, PullRequest__Output as _lockstep_v1_PullRequest__Output } from '../../lockstep/v1/PullRequest.js';
import type { PullStateRequest as _lockstep_v1_PullStateRequest, PullStateRequest__Output as _lockstep_v1_PullStateRequest__Output } from '../../lockstep/v1/PullStateRequest.js';
import type { StateChunk as _lockstep_v1_StateChunk, StateChunk__Output as _lockstep_v1_StateChunk__Output } from '../../lockstep/v1/StateChunk.js';

export interface ExchangeClient extends grpc.Client {
  Pull(argument: _lockstep_v1_PullRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Frame__Output>;
  Pull(argument: _lockstep_v1_PullRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Frame__Output>;
  pull(argument: _lockstep_v1_PullRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Frame__Output>;
  pull(argument: _lockstep_v1_PullRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Frame__Output>;
  
  PullState(argument: _lockstep_v1_PullStateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StateChunk__Output>;
  PullState(argument: _lockstep_v1_PullStateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StateChunk__Output>;
  pullState(argument: _lockstep_v1_PullStateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StateChunk__Output>;
  pullState(argument: _lockstep_v1_PullStateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StateChunk__Output>;
  
}

export interface ExchangeHandlers extends grpc.UntypedServiceImplementation {
  Pull: grpc.handleServerStreamingCall<_lockstep_v1_PullRequest__Output, _lockstep_v1_Frame>;
  
  PullState: grpc.handleServerStreamingCall<_lockstep_v1_PullStateRequest__Output, _lockstep_v1_StateChunk>;
  
}

export interface ExchangeDefinition extends grpc.ServiceDefinition {
  Pull: MethodDefinition<_lockstep_v1_PullRequest, _lockstep_v1_Frame, _lockstep_v1_PullRequest__Output, _lockstep_v1_Frame__Output>
  PullState: MethodDefinition<_lockstep_v1_PullStateRequest, _lockstep_v1_StateChunk, _lockstep_v1_PullStateRequest__Output, _lockstep_v1_StateChunk__Output>
}
