// Original file: proto/gate.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { EnrolRequest as _lockstep_v1_EnrolRequest, EnrolRequest__Output as _lockstep_v1_EnrolRequest__Output } from '../../lockstep/v1/EnrolRequest.js';
import type { EnrolResponse as _lockstep_v1_EnrolResponse, EnrolResponse__Output as _lockstep_v1_EnrolResponse__Output } from '../../lockstep/v1/EnrolResponse.js';

export interface GateClient extends grpc.Client {
  Enrol(argument: _lockstep_v1_EnrolRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _lockstep_v1_EnrolRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _lockstep_v1_EnrolRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  Enrol(argument: _lockstep_v1_EnrolRequest, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _lockstep_v1_EnrolRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _lockstep_v1_EnrolRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _lockstep_v1_EnrolRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  enrol(argument: _lockstep_v1_EnrolRequest, callback: grpc.requestCallback<_lockstep_v1_EnrolResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface GateHandlers extends grpc.UntypedServiceImplementation {
  Enrol: grpc.handleUnaryCall<_lockstep_v1_EnrolRequest__Output, _lockstep_v1_EnrolResponse>;
  
}

export interface GateDefinition extends grpc.ServiceDefinition {
  Enrol: MethodDefinition<_lockstep_v1_EnrolRequest, _lockstep_v1_EnrolResponse, _lockstep_v1_EnrolRequest__Output, _lockstep_v1_EnrolResponse__Output>
}
