/** What a person's signals mean: the first asks for a clean end, the second for an end at once. */

const asking = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * @param stop - called once, with the first signal's name
 * @param abort - called with the second
 * @returns gives the signals their usual meaning again
 */
export function onSignals(stop: (signal: string) => void, abort: () => void): () => void {
  let count = 0;
  const listener = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) stop(signal);
    else abort();
  };
  for (const signal of asking) process.on(signal, listener);
  return () => {
    for (const signal of asking) process.off(signal, listener);
  };
}
