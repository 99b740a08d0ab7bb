/** Time as it is handed in, so that whole clusters run on simulated time. Below the programs nobody asks the machine. */
export interface Clock {
  /** Milliseconds since some moment in the past; never goes back. Only differences mean anything. */
  nowMs(): number;
  /** Calls `callback` once, `delayMs` from now. @returns cancels it; harmless after it was called */
  setTimer(delayMs: number, callback: () => void): () => void;
}

/** The machine's own monotonic clock. A pending timer keeps the process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Not a question of time: when the event loop has done what its turn still has to do. */
export async function endOfTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
