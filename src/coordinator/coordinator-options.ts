import type { Begin } from '../cluster/messages.js';
import type { Clock } from '../core/clock.js';
import type { RunEvent } from '../core/events.js';
import type { ParameterLayout } from '../core/layout.js';
import type { RunSpec } from '../core/run-spec.js';
import type { ExchangeClients } from '../transport/grpc/exchange-client.js';
import type { RunStore } from './results.js';
import type { Earlier } from './resumption.js';
import type { RunWatch } from './run-watch.js';

/** What a coordinator needs. */
export interface CoordinatorDependencies {
  readonly spec: RunSpec;
  readonly layout: ParameterLayout;
  /** The layer that no plan covers, and why, if there is one. */
  readonly gap?: string | undefined;
  readonly store: RunStore;
  /** Connections to workers, for their states. */
  readonly peers: Pick<ExchangeClients, 'pullState'>;
  /** Adds gradients where the topology is a star. */
  readonly hub?: { readonly port: number; begin(begin: Begin): void; seal(reason: string): void } | undefined;
  readonly clock: Clock;
  /** Shows an event to whoever looks on. */
  readonly show: (event: RunEvent) => void;
  readonly watch: RunWatch;
  readonly log: { info(text: string): void; warn(text: string): void };
}

export interface CoordinatorOptions {
  /** Workers that must have joined before the first step. */
  readonly worldSize: number;
  /** With fewer the run waits. */
  readonly minWorkers: number;
  /** Workers may join until there are so many. */
  readonly maxWorkers: number;
  readonly joinTimeoutSeconds: number;
  /** Folder of the run, for events. */
  readonly out: string;
  /** What a run did before that is resumed from a checkpoint, or taken over while its workers go on. */
  readonly earlier?: Earlier | undefined;
  /** The command that continues the run, should it be interrupted. */
  readonly resumeWith: string;
}
