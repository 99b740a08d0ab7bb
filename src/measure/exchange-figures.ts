import type { ExchangeTimes } from './exchange-participant.js';

/** What a measurement says, in the terms of NCCL's tests (doc/PERFORMANCE.md there). */
export interface ExchangeFigures {
  readonly workers: number;
  readonly floats: number;
  /** Median time of a call, on rank 0. */
  readonly milliseconds: number;
  /** Algorithm bandwidth: the vector's bytes by that time, MB/s. */
  readonly algorithmMBps: number;
  /** Bus bandwidth: times 2 (N - 1) / N, what each rank must send at the least; comparable for any number of ranks. */
  readonly busMBps: number;
  /** Processor time for each GiB of vector, over the ranks that were looked at. */
  readonly cpuSecondsPerGiB: number;
  /** Bytes that rank 0 sent in a call. */
  readonly sentBytes: number;
}

/** @param times - of each rank that was looked at, rank 0 first */
export function figuresOf(workers: number, floats: number, times: readonly ExchangeTimes[]): ExchangeFigures {
  const [{ milliseconds: all, sentBytes } = { milliseconds: [], sentBytes: 0 }] = times;
  const milliseconds = median(all);
  const algorithmMBps = (floats * 4) / milliseconds / 1e3;
  const cpuSeconds = times.reduce((sum, rank) => sum + rank.cpuSeconds, 0);
  return {
    workers,
    floats,
    milliseconds,
    algorithmMBps,
    busMBps: (algorithmMBps * 2 * (workers - 1)) / workers,
    cpuSecondsPerGiB: cpuSeconds / ((floats * 4 * all.length) / 2 ** 30),
    sentBytes: sentBytes / all.length,
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
