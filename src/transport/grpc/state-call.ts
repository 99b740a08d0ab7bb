import type { Clock } from '../../core/clock.js';
import { exchangeProtoService } from './definitions.js';
import type { PullStateRequest } from './generated/lockstep/v1/PullStateRequest.js';
import type { StateChunk__Output } from './generated/lockstep/v1/StateChunk.js';
import type { LentConnections } from './lent-connections.js';
import { PullStream, type PullTarget } from './pull-stream.js';

/** A network that swallows packets breaks no stream: a ping that has no answer by the next one ends the call. */
const pingMs = 5_000;

export type StateTarget = Omit<PullTarget, 'path' | 'request'>;

/**
 * Calls `PullState`, on a connection of its own, as frames have it: through grpc-js a state took three times as long.
 *
 * @param take - is called for each chunk, whose data is valid during the call
 * @param end - aborted, nothing is taken any more
 * @throws Error when it is refused or breaks, and what `take` throws
 */
export async function callState(
  target: StateTarget,
  request: PullStateRequest,
  take: (chunk: StateChunk__Output) => void,
  clock: Clock,
  end: AbortSignal,
): Promise<void> {
  end.throwIfAborted();
  const { path, requestSerialize, responseDeserialize } = exchangeProtoService.PullState;
  let stopPinging = (): void => undefined;
  let abort = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const pull = new PullStream(
        { ...target, path, request: requestSerialize(request) },
        {
          message: (bytes) => take(responseDeserialize(bytes)),
          failed: reject,
          ended: (reason, isWhole) => (isWhole ? resolve() : reject(new Error(reason))),
        },
      );
      const fail = (error: Error): void => (pull.close(), reject(error));
      const ping = (): void => {
        let isAnswered = false;
        pull.ping(() => (isAnswered = true));
        stopPinging = clock.setTimer(pingMs, () => (isAnswered ? ping() : fail(new Error('it does not answer'))));
      };
      stopPinging = clock.setTimer(pingMs, ping);
      abort = () => fail(end.reason as Error);
      end.addEventListener('abort', abort);
    });
  } finally {
    stopPinging();
    end.removeEventListener('abort', abort);
  }
}

/** The same of a worker that nobody can dial, over a connection that it has lent, which ends with the call. */
export async function callLentState(
  lent: LentConnections,
  address: string,
  request: PullStateRequest,
  take: (chunk: StateChunk__Output) => void,
  clock: Clock,
  end: AbortSignal,
): Promise<void> {
  const connection = await lent.take(address, end);
  return callState({ address, connect: () => connection }, request, take, clock, end);
}
