import type { Generation } from '../../cluster/messages.js';
import { exchangeProtoService } from './definitions.js';
import type { LentConnections } from './lent-connections.js';
import { PullStream, type PullEvents } from './pull-stream.js';

export interface LentPullTarget {
  readonly runId: string;
  /** Of the worker, whose connection is taken as soon as it lends one. */
  readonly address: string;
  readonly generation: Generation;
  /** Our own. */
  readonly rank: number;
}

/** The frames of a worker that nobody can dial. */
export function lentPull(
  lent: LentConnections,
  { runId, address, generation: { term, number }, rank }: LentPullTarget,
  events: PullEvents,
): Pick<PullStream, 'close'> {
  const { path, requestSerialize } = exchangeProtoService.Pull;
  const request = requestSerialize({ runId, term, generation: number, rank });
  const waiting = new AbortController();
  let stream: PullStream | undefined;
  lent.take(address, waiting.signal).then(
    (connection) => (stream = new PullStream({ address, connect: () => connection, path, request }, events)),
    () => undefined, //                                              the generation is over
  );
  return {
    close() {
      waiting.abort(new Error('the generation is over'));
      stream?.close();
    },
  };
}
