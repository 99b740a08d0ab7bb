import { LockstepError, type ExitCode } from '../core/errors.js';
import type { EvaluationRecord, StepRecord, StepTiming } from '../core/events.js';
import type { Begin, End, Progress, Seal, Sealed } from './messages.js';

/** What travels on the one stream between a worker and the coordinator, membership included. */

export interface Hello {
  readonly kind: 'hello';
  readonly protocolVersion: number;
  readonly numericsVersion: number;
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  /** `host:port` where its metrics are served, for whoever collects them; with `https://` before it where they are so. */
  readonly metricsAddress: string;
}

/** The worker holds data set, engine and state 0: it can take part. */
export interface Ready {
  readonly kind: 'ready';
  /** `host:port` of its `Exchange` service. */
  readonly address: string;
  readonly engine: string;
  readonly deterministic: boolean;
  readonly parameterCount: number;
  /** Of the weights that it built from the spec. */
  readonly weightsDigest: string;
  /** From a worker that has answered a Seal: it is back after its stream broke, or the coordinator was replaced (rule 11). */
  readonly greeting?: Progress;
}

/** Progress, and from rank 0 what every rank knows: steps and evaluations finished since its last report. */
export interface Report extends Progress {
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  /** A copy of the state after this step waits at the sender to be stored. */
  readonly checkpointStep?: number;
}

/** Why the other side gives up; in `LockstepError`'s words. */
export interface Farewell {
  readonly kind: 'failed' | 'refused';
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly exitCode: number;
}

/** What made the other side give up, as an error here. */
export function errorOf({ code, message, remedy, exitCode }: Farewell): LockstepError {
  return new LockstepError(code, message, remedy, exitCode as ExitCode);
}

export interface Heartbeat {
  readonly kind: 'heartbeat';
  /** The worker's own clock when it said this. */
  readonly sentAtMs: number;
  /** Of the worker's own steps since its last heartbeat; some may be left out, none is told twice. */
  readonly timings: readonly StepTiming[];
}

/** The worker wants to go. It stays until it is dismissed. */
export interface Leaving {
  readonly kind: 'leaving';
}

/** A worker that wanted to leave is no longer needed. */
export interface Dismissed {
  readonly kind: 'dismissed';
}

/** A Seal as it travels: with the last step that the coordinator has a record of, so that no record is lost with a worker. */
export interface SealCall extends Seal {
  readonly recordedStep: number;
}

export interface Welcome {
  readonly kind: 'welcome';
  readonly runId: string;
  /** core/run-spec.ts, as JSON. */
  readonly runSpec: string;
  /** The last step of which the coordinator has the record: who comes back tells later ones again. */
  readonly recordedStep: number;
  /** Of the hub, on the coordinator's host, where the topology is a star; else 0. */
  readonly hubPort: number;
}

export type FromWorker =
  Hello | Ready | Sealed | Report | (Farewell & { readonly kind: 'failed' }) | Heartbeat | Leaving;
export type FromCoordinator = Welcome | SealCall | Begin | End | (Farewell & { readonly kind: 'refused' }) | Dismissed;

/** One end of the stream. Messages arrive in order, each at most once; after `closed` nothing arrives any more. */
export interface Channel<Out, In> {
  send(message: Out): void;
  /** Sets who listens; call it once, at once. */
  listen(listener: ChannelListener<In>): void;
  /** Ends the stream when what was sent has left. */
  close(): void;
}

export interface ChannelListener<In> {
  message(message: In): void;
  /** @param reason - in words, as far as it is known */
  closed(reason: string): void;
}
