import type { Clock } from '../../core/clock.js';
import { fault } from '../faults.js';
import { reasonOf } from './channels.js';
import type { StateChunk__Output } from './generated/lockstep/v1/StateChunk.js';
import type { StateRequest, StateSnapshot } from './exchange-server.js';

/** Silence on a state's stream after which its sender is given up. */
const stateSilenceMs = 30_000;
/** The same of a worker that writes its state to a disk before it answers. */
const writeSilenceMs = 300_000;

export interface StateSource {
  /** Of the worker. */
  readonly address: string;
  /** Asks it for its state; aborted, nobody waits for it any more. */
  readonly open: (signal: AbortSignal) => AsyncIterable<StateChunk__Output>;
}

/**
 * Puts a state together that comes in pieces. No wait for the next one is without limit.
 *
 * @param signal - when the state is not wanted any more
 * @throws LockstepError `STATE_UNAVAILABLE`
 */
export async function receiveState(
  { address, open }: StateSource,
  { step, write }: StateRequest,
  clock: Clock,
  signal?: AbortSignal,
): Promise<StateSnapshot> {
  const silenceMs = write ? writeSilenceMs : stateSilenceMs;
  const end = new AbortController();
  const giveUp = (): void => end.abort(new Error('it does not answer'));
  signal?.addEventListener('abort', giveUp);
  let endSilence = clock.setTimer(silenceMs, giveUp);
  try {
    let description: string | undefined;
    const vectors = new Map<string, Buffer[]>();
    for await (const chunk of open(end.signal)) {
      endSilence();
      endSilence = clock.setTimer(silenceMs, giveUp);
      description ??= chunk.description;
      if (!chunk.part) continue;
      const parts = vectors.get(chunk.part.vector);
      if (parts) parts.push(chunk.part.data);
      else vectors.set(chunk.part.vector, [chunk.part.data]);
    }
    if (description === undefined) throw new Error('the stream was empty');
    return { description, vectors: [...vectors].map(([name, parts]) => ({ name, values: floatsOf(parts) })) };
  } catch (error) {
    throw fault('STATE_UNAVAILABLE', { address, step, reason: reasonOf(error) }, error);
  } finally {
    endSilence();
    signal?.removeEventListener('abort', giveUp);
  }
}

function floatsOf(parts: readonly Buffer[]): Float32Array {
  const bytes = Buffer.concat(parts);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
