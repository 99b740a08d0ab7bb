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
  readonly call: (take: (chunk: StateChunk__Output) => void, end: AbortSignal) => Promise<void>;
}

/** Where a state goes that comes in pieces, those of a vector in order. */
export interface StateSink {
  /** @param offset - in bytes @param data - valid during the call */
  part(vector: string, offset: number, data: Uint8Array): void;
}

/**
 * Hands on a state that comes in pieces. No wait for the next one is without limit.
 *
 * @param signal - when the state is not wanted any more
 * @returns everything of it but the vectors
 * @throws LockstepError `STATE_UNAVAILABLE`
 */
export async function receiveState(
  { address, call }: StateSource,
  { step, write }: StateRequest,
  sink: StateSink,
  clock: Clock,
  signal?: AbortSignal,
): Promise<string> {
  const silenceMs = write ? writeSilenceMs : stateSilenceMs;
  const end = new AbortController();
  const giveUp = (): void => end.abort(new Error('it does not answer'));
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  let endSilence = clock.setTimer(silenceMs, giveUp);
  try {
    let description: string | undefined;
    await call((chunk) => {
      endSilence();
      endSilence = clock.setTimer(silenceMs, giveUp);
      description ??= chunk.description;
      if (chunk.part) sink.part(chunk.part.vector, chunk.part.offset, chunk.part.data);
    }, end.signal);
    if (description === undefined) throw new Error('the stream was empty');
    return description;
  } catch (error) {
    throw fault('STATE_UNAVAILABLE', { address, step, reason: reasonOf(error) }, error);
  } finally {
    endSilence();
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Of a state whose size is not known: it is put together when all of it is there. */
export class GatheredState implements StateSink {
  private readonly vectors = new Map<string, Uint8Array[]>();

  part(vector: string, _offset: number, data: Uint8Array): void {
    const parts = this.vectors.get(vector) ?? [];
    parts.push(new Uint8Array(data));
    this.vectors.set(vector, parts);
  }

  snapshot(description: string): StateSnapshot {
    return { description, vectors: [...this.vectors].map(([name, parts]) => ({ name, values: floatsOf(parts) })) };
  }
}

function floatsOf(parts: readonly Uint8Array[]): Float32Array {
  const bytes = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return new Float32Array(bytes.buffer);
}
