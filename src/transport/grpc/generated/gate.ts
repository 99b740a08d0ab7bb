import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { EnrolRequest as _lockstep_v1_EnrolRequest, EnrolRequest__Output as _lockstep_v1_EnrolRequest__Output } from './lockstep/v1/EnrolRequest.js';
import type { EnrolResponse as _lockstep_v1_EnrolResponse, EnrolResponse__Output as _lockstep_v1_EnrolResponse__Output } from './lockstep/v1/EnrolResponse.js';
import type { GateClient as _lockstep_v1_GateClient, GateDefinition as _lockstep_v1_GateDefinition } from './lockstep/v1/Gate.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      EnrolRequest: MessageTypeDefinition<_lockstep_v1_EnrolRequest, _lockstep_v1_EnrolRequest__Output>
      EnrolResponse: MessageTypeDefinition<_lockstep_v1_EnrolResponse, _lockstep_v1_EnrolResponse__Output>
      Gate: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_GateClient> & { service: _lockstep_v1_GateDefinition }
    }
  }
}

