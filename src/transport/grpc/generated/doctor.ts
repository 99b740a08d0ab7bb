import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DoctorClient as _lockstep_v1_DoctorClient, DoctorDefinition as _lockstep_v1_DoctorDefinition } from './lockstep/v1/Doctor.js';
import type { DownloadRequest as _lockstep_v1_DownloadRequest, DownloadRequest__Output as _lockstep_v1_DownloadRequest__Output } from './lockstep/v1/DownloadRequest.js';
import type { Filling as _lockstep_v1_Filling, Filling__Output as _lockstep_v1_Filling__Output } from './lockstep/v1/Filling.js';
import type { GreetRequest as _lockstep_v1_GreetRequest, GreetRequest__Output as _lockstep_v1_GreetRequest__Output } from './lockstep/v1/GreetRequest.js';
import type { GreetResponse as _lockstep_v1_GreetResponse, GreetResponse__Output as _lockstep_v1_GreetResponse__Output } from './lockstep/v1/GreetResponse.js';
import type { KnockRequest as _lockstep_v1_KnockRequest, KnockRequest__Output as _lockstep_v1_KnockRequest__Output } from './lockstep/v1/KnockRequest.js';
import type { KnockResponse as _lockstep_v1_KnockResponse, KnockResponse__Output as _lockstep_v1_KnockResponse__Output } from './lockstep/v1/KnockResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Doctor: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_DoctorClient> & { service: _lockstep_v1_DoctorDefinition }
      DownloadRequest: MessageTypeDefinition<_lockstep_v1_DownloadRequest, _lockstep_v1_DownloadRequest__Output>
      Filling: MessageTypeDefinition<_lockstep_v1_Filling, _lockstep_v1_Filling__Output>
      GreetRequest: MessageTypeDefinition<_lockstep_v1_GreetRequest, _lockstep_v1_GreetRequest__Output>
      GreetResponse: MessageTypeDefinition<_lockstep_v1_GreetResponse, _lockstep_v1_GreetResponse__Output>
      KnockRequest: MessageTypeDefinition<_lockstep_v1_KnockRequest, _lockstep_v1_KnockRequest__Output>
      KnockResponse: MessageTypeDefinition<_lockstep_v1_KnockResponse, _lockstep_v1_KnockResponse__Output>
    }
  }
}

