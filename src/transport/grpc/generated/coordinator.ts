import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Begin as _lockstep_v1_Begin, Begin__Output as _lockstep_v1_Begin__Output } from './lockstep/v1/Begin.js';
import type { BlobChunk as _lockstep_v1_BlobChunk, BlobChunk__Output as _lockstep_v1_BlobChunk__Output } from './lockstep/v1/BlobChunk.js';
import type { Change as _lockstep_v1_Change, Change__Output as _lockstep_v1_Change__Output } from './lockstep/v1/Change.js';
import type { CoordinatorClient as _lockstep_v1_CoordinatorClient, CoordinatorDefinition as _lockstep_v1_CoordinatorDefinition } from './lockstep/v1/Coordinator.js';
import type { CoordinatorMessage as _lockstep_v1_CoordinatorMessage, CoordinatorMessage__Output as _lockstep_v1_CoordinatorMessage__Output } from './lockstep/v1/CoordinatorMessage.js';
import type { Dismissed as _lockstep_v1_Dismissed, Dismissed__Output as _lockstep_v1_Dismissed__Output } from './lockstep/v1/Dismissed.js';
import type { End as _lockstep_v1_End, End__Output as _lockstep_v1_End__Output } from './lockstep/v1/End.js';
import type { Ended as _lockstep_v1_Ended, Ended__Output as _lockstep_v1_Ended__Output } from './lockstep/v1/Ended.js';
import type { EvaluationRecord as _lockstep_v1_EvaluationRecord, EvaluationRecord__Output as _lockstep_v1_EvaluationRecord__Output } from './lockstep/v1/EvaluationRecord.js';
import type { Failed as _lockstep_v1_Failed, Failed__Output as _lockstep_v1_Failed__Output } from './lockstep/v1/Failed.js';
import type { FetchBlobRequest as _lockstep_v1_FetchBlobRequest, FetchBlobRequest__Output as _lockstep_v1_FetchBlobRequest__Output } from './lockstep/v1/FetchBlobRequest.js';
import type { Generation as _lockstep_v1_Generation, Generation__Output as _lockstep_v1_Generation__Output } from './lockstep/v1/Generation.js';
import type { Heartbeat as _lockstep_v1_Heartbeat, Heartbeat__Output as _lockstep_v1_Heartbeat__Output } from './lockstep/v1/Heartbeat.js';
import type { Hello as _lockstep_v1_Hello, Hello__Output as _lockstep_v1_Hello__Output } from './lockstep/v1/Hello.js';
import type { Leaving as _lockstep_v1_Leaving, Leaving__Output as _lockstep_v1_Leaving__Output } from './lockstep/v1/Leaving.js';
import type { Member as _lockstep_v1_Member, Member__Output as _lockstep_v1_Member__Output } from './lockstep/v1/Member.js';
import type { Progress as _lockstep_v1_Progress, Progress__Output as _lockstep_v1_Progress__Output } from './lockstep/v1/Progress.js';
import type { Ready as _lockstep_v1_Ready, Ready__Output as _lockstep_v1_Ready__Output } from './lockstep/v1/Ready.js';
import type { Refused as _lockstep_v1_Refused, Refused__Output as _lockstep_v1_Refused__Output } from './lockstep/v1/Refused.js';
import type { Seal as _lockstep_v1_Seal, Seal__Output as _lockstep_v1_Seal__Output } from './lockstep/v1/Seal.js';
import type { Sealed as _lockstep_v1_Sealed, Sealed__Output as _lockstep_v1_Sealed__Output } from './lockstep/v1/Sealed.js';
import type { StepRecord as _lockstep_v1_StepRecord, StepRecord__Output as _lockstep_v1_StepRecord__Output } from './lockstep/v1/StepRecord.js';
import type { StepTiming as _lockstep_v1_StepTiming, StepTiming__Output as _lockstep_v1_StepTiming__Output } from './lockstep/v1/StepTiming.js';
import type { Welcome as _lockstep_v1_Welcome, Welcome__Output as _lockstep_v1_Welcome__Output } from './lockstep/v1/Welcome.js';
import type { WorkerMessage as _lockstep_v1_WorkerMessage, WorkerMessage__Output as _lockstep_v1_WorkerMessage__Output } from './lockstep/v1/WorkerMessage.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Begin: MessageTypeDefinition<_lockstep_v1_Begin, _lockstep_v1_Begin__Output>
      BlobChunk: MessageTypeDefinition<_lockstep_v1_BlobChunk, _lockstep_v1_BlobChunk__Output>
      Change: MessageTypeDefinition<_lockstep_v1_Change, _lockstep_v1_Change__Output>
      Coordinator: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_CoordinatorClient> & { service: _lockstep_v1_CoordinatorDefinition }
      CoordinatorMessage: MessageTypeDefinition<_lockstep_v1_CoordinatorMessage, _lockstep_v1_CoordinatorMessage__Output>
      Dismissed: MessageTypeDefinition<_lockstep_v1_Dismissed, _lockstep_v1_Dismissed__Output>
      End: MessageTypeDefinition<_lockstep_v1_End, _lockstep_v1_End__Output>
      Ended: MessageTypeDefinition<_lockstep_v1_Ended, _lockstep_v1_Ended__Output>
      EvaluationRecord: MessageTypeDefinition<_lockstep_v1_EvaluationRecord, _lockstep_v1_EvaluationRecord__Output>
      Failed: MessageTypeDefinition<_lockstep_v1_Failed, _lockstep_v1_Failed__Output>
      FetchBlobRequest: MessageTypeDefinition<_lockstep_v1_FetchBlobRequest, _lockstep_v1_FetchBlobRequest__Output>
      Generation: MessageTypeDefinition<_lockstep_v1_Generation, _lockstep_v1_Generation__Output>
      Heartbeat: MessageTypeDefinition<_lockstep_v1_Heartbeat, _lockstep_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_lockstep_v1_Hello, _lockstep_v1_Hello__Output>
      Leaving: MessageTypeDefinition<_lockstep_v1_Leaving, _lockstep_v1_Leaving__Output>
      Member: MessageTypeDefinition<_lockstep_v1_Member, _lockstep_v1_Member__Output>
      Progress: MessageTypeDefinition<_lockstep_v1_Progress, _lockstep_v1_Progress__Output>
      Ready: MessageTypeDefinition<_lockstep_v1_Ready, _lockstep_v1_Ready__Output>
      Refused: MessageTypeDefinition<_lockstep_v1_Refused, _lockstep_v1_Refused__Output>
      Seal: MessageTypeDefinition<_lockstep_v1_Seal, _lockstep_v1_Seal__Output>
      Sealed: MessageTypeDefinition<_lockstep_v1_Sealed, _lockstep_v1_Sealed__Output>
      StepRecord: MessageTypeDefinition<_lockstep_v1_StepRecord, _lockstep_v1_StepRecord__Output>
      StepTiming: MessageTypeDefinition<_lockstep_v1_StepTiming, _lockstep_v1_StepTiming__Output>
      Welcome: MessageTypeDefinition<_lockstep_v1_Welcome, _lockstep_v1_Welcome__Output>
      WorkerMessage: MessageTypeDefinition<_lockstep_v1_WorkerMessage, _lockstep_v1_WorkerMessage__Output>
    }
  }
}

