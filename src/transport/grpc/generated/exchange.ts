import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ExchangeClient as _lockstep_v1_ExchangeClient, ExchangeDefinition as _lockstep_v1_ExchangeDefinition } from './lockstep/v1/Exchange.js';
import type { Frame as _lockstep_v1_Frame, Frame__Output as _lockstep_v1_Frame__Output } from './lockstep/v1/Frame.js';
import type { Place as _lockstep_v1_Place, Place__Output as _lockstep_v1_Place__Output } from './lockstep/v1/Place.js';
import type { PullRequest as _lockstep_v1_PullRequest, PullRequest__Output as _lockstep_v1_PullRequest__Output } from './lockstep/v1/PullRequest.js';
import type { PullStateRequest as _lockstep_v1_PullStateRequest, PullStateRequest__Output as _lockstep_v1_PullStateRequest__Output } from './lockstep/v1/PullStateRequest.js';
import type { Reading as _lockstep_v1_Reading, Reading__Output as _lockstep_v1_Reading__Output } from './lockstep/v1/Reading.js';
import type { StateChunk as _lockstep_v1_StateChunk, StateChunk__Output as _lockstep_v1_StateChunk__Output } from './lockstep/v1/StateChunk.js';
import type { VectorPart as _lockstep_v1_VectorPart, VectorPart__Output as _lockstep_v1_VectorPart__Output } from './lockstep/v1/VectorPart.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Exchange: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_ExchangeClient> & { service: _lockstep_v1_ExchangeDefinition }
      Frame: MessageTypeDefinition<_lockstep_v1_Frame, _lockstep_v1_Frame__Output>
      Place: MessageTypeDefinition<_lockstep_v1_Place, _lockstep_v1_Place__Output>
      PullRequest: MessageTypeDefinition<_lockstep_v1_PullRequest, _lockstep_v1_PullRequest__Output>
      PullStateRequest: MessageTypeDefinition<_lockstep_v1_PullStateRequest, _lockstep_v1_PullStateRequest__Output>
      Reading: MessageTypeDefinition<_lockstep_v1_Reading, _lockstep_v1_Reading__Output>
      StateChunk: MessageTypeDefinition<_lockstep_v1_StateChunk, _lockstep_v1_StateChunk__Output>
      VectorPart: MessageTypeDefinition<_lockstep_v1_VectorPart, _lockstep_v1_VectorPart__Output>
    }
  }
}

