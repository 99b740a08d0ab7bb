// Original file: proto/doctor.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DownloadRequest as _lockstep_v1_DownloadRequest, DownloadRequest__Output as _lockstep_v1_DownloadRequest__Output } from '../../lockstep/v1/DownloadRequest.js';
import type { Filling as _lockstep_v1_Filling, Filling__Output as _lockstep_v1_Filling__Output } from '../../lockstep/v1/Filling.js';
import type { GreetRequest as _lockstep_v1_GreetRequest, GreetRequest__Output as _lockstep_v1_GreetRequest__Output } from '../../lockstep/v1/GreetRequest.js';
import type { GreetResponse as _lockstep_v1_GreetResponse, GreetResponse__Output as _lockstep_v1_GreetResponse__Output } from '../../lockstep/v1/GreetResponse.js';
import type { KnockRequest as _lockstep_v1_KnockRequest, KnockRequest__Output as _lockstep_v1_KnockRequest__Output } from '../../lockstep/v1/KnockRequest.js';
import type { KnockResponse as _lockstep_v1_KnockResponse, KnockResponse__Output as _lockstep_v1_KnockResponse__Output } from '../../lockstep/v1/KnockResponse.js';

export interface DoctorClient extends grpc.Client {
  Download(argument: _lockstep_v1_DownloadRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Filling__Output>;
  Download(argument: _lockstep_v1_DownloadRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Filling__Output>;
  download(argument: _lockstep_v1_DownloadRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Filling__Output>;
  download(argument: _lockstep_v1_DownloadRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_Filling__Output>;
  
  Greet(argument: _lockstep_v1_GreetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  Greet(argument: _lockstep_v1_GreetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  Greet(argument: _lockstep_v1_GreetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  Greet(argument: _lockstep_v1_GreetRequest, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  greet(argument: _lockstep_v1_GreetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  greet(argument: _lockstep_v1_GreetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  greet(argument: _lockstep_v1_GreetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  greet(argument: _lockstep_v1_GreetRequest, callback: grpc.requestCallback<_lockstep_v1_GreetResponse__Output>): grpc.ClientUnaryCall;
  
  Knock(argument: _lockstep_v1_KnockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  Knock(argument: _lockstep_v1_KnockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  Knock(argument: _lockstep_v1_KnockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  Knock(argument: _lockstep_v1_KnockRequest, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  knock(argument: _lockstep_v1_KnockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  knock(argument: _lockstep_v1_KnockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  knock(argument: _lockstep_v1_KnockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  knock(argument: _lockstep_v1_KnockRequest, callback: grpc.requestCallback<_lockstep_v1_KnockResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface DoctorHandlers extends grpc.UntypedServiceImplementation {
  Download: grpc.handleServerStreamingCall<_lockstep_v1_DownloadRequest__Output, _lockstep_v1_Filling>;
  
  Greet: grpc.handleUnaryCall<_lockstep_v1_GreetRequest__Output, _lockstep_v1_GreetResponse>;
  
  Knock: grpc.handleUnaryCall<_lockstep_v1_KnockRequest__Output, _lockstep_v1_KnockResponse>;
  
}

export interface DoctorDefinition extends grpc.ServiceDefinition {
  Download: MethodDefinition<_lockstep_v1_DownloadRequest, _lockstep_v1_Filling, _lockstep_v1_DownloadRequest__Output, _lockstep_v1_Filling__Output>
  Greet: MethodDefinition<_lockstep_v1_GreetRequest, _lockstep_v1_GreetResponse, _lockstep_v1_GreetRequest__Output, _lockstep_v1_GreetResponse__Output>
  Knock: MethodDefinition<_lockstep_v1_KnockRequest, _lockstep_v1_KnockResponse, _lockstep_v1_KnockRequest__Output, _lockstep_v1_KnockResponse__Output>
}
