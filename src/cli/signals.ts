/** What a person's signals mean: the first asks for a clean end, a later one for an end at once. */

/**
 * Signals that come this soon after the first are still the first. Slurm, systemd and many shells tell all processes of a
 * job or service at once, scripts among them, which pass it on to the program that has heard of it already.
 */
export const oneRequestMs = 1_000;

const asking = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param stop - called once, with the first signal's name
 * @param abort - called with every one that is a request of its own
 * @param nowMs - of a clock that only goes forward
 * @returns gives the signals their usual meaning again
 */
export function onSignals(
  stop: (signal: string) => void,
  abort: () => void,
  nowMs: () => number = () => performance.now(),
): () => void {
  let firstMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (firstMs === undefined) {
      firstMs = nowMs();
      stop(signal);
    } else if (nowMs() - firstMs > oneRequestMs) abort();
  };
  for (const signal of asking) process.on(signal, listener);
  return () => {
    for (const signal of asking) process.off(signal, listener);
  };
}
