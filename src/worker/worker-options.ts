import type { Begin } from '../cluster/messages.js';
import type { Channel, FromCoordinator, FromWorker } from '../cluster/session.js';
import type { HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { EvaluationRecord } from '../core/events.js';
import type { RandomStream } from '../core/random.js';
import type { LossyCodec, RunSpec } from '../core/run-spec.js';
import type { ExchangeSecurity } from '../transport/grpc/exchange-server.js';
import type { GrpcLink } from '../transport/grpc/grpc-link.js';
import type { PreparedRun } from './prepared-run.js';
import type { SecondComputationEvents } from './second-computation.js';
import type { FinishedStep } from './train-step.js';

/** What a worker needs. */
export interface WorkerDependencies {
  /** Where the coordinator is, in words. */
  readonly coordinatorAddress: string;
  /** Opens a stream to the coordinator, wherever it is now. */
  dial(): Promise<Channel<FromWorker, FromCoordinator>>;
  readonly clock: Clock;
  /** Absent where the network is trusted: plain text. */
  readonly security?: ExchangeSecurity | undefined;
  /** Spreads the attempts of many workers to reach a coordinator that comes back. */
  readonly random: RandomStream;
  /** Fetches data and starts the engine, when the spec is known. */
  prepare(spec: RunSpec): Promise<PreparedRun>;
  /** The engine's thread hangs and cannot be ended. */
  engineStuck(): void;
  /** `host:port` of the hub that listens at that port of the coordinator's host. */
  hubAt(port: number): string;
  /** `host:port` under which others reach the port that `Exchange` got. */
  advertise(port: number): string;
  readonly log: { debug(text: string): void; info(text: string): void; warn(text: string): void };
  readonly watch: WorkerWatch;
}

/** Who looks on: metrics. */
export interface WorkerWatch {
  /** @param codec - in which gradients travel */
  begun(begin: Begin, rank: number, codec: LossyCodec['name'] | 'f32'): void;
  /** In order, several at a time. @param link - what has travelled since the generation began */
  stepsFinished(
    steps: readonly FinishedStep[],
    arenaBytes: number,
    link: Pick<GrpcLink, 'sentBytes' | 'receivedBytes'>,
  ): void;
  evaluated(record: EvaluationRecord, seconds: number): void;
  readonly second: Omit<SecondComputationEvents, 'computedLate'>;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  /** `host:port` where this worker's metrics are served. */
  readonly metricsAddress: string;
  /** Where the `Exchange` service listens. */
  readonly listen: HostPort;
  /** Whether somebody gave the port; one that nobody chose may be any free one instead. */
  readonly isPortChosen: boolean;
  /** Of the memory that workers of this host share, if they do. */
  readonly memoryFolder?: string | undefined;
  /** How long nothing may go on while there is no coordinator; steps that finish without it count as going on. */
  readonly coordinatorTimeoutSeconds: number;
}
