import type { ToChild, ToParent } from '../core/supervision.js';

/** The end of a started process that faces whoever started it; undefined for a process that a person started. */
export interface Supervisor {
  tell(message: ToParent): void;
  onMessage(listener: (message: ToChild) => void): void;
  /** From now on the parent's end is nothing to us: we are about to end ourselves. */
  release(): void;
}

/**
 * Finds out whether `lockstep train` started this process. If it did, its death ends this process at once, whatever it
 * is doing: files appear whole or not at all, so nothing is lost but the run that nobody waits for.
 */
export function findSupervisor(): Supervisor | undefined {
  if (!process.send) return undefined;
  const onDisconnect = (): never => process.exit(3);
  process.once('disconnect', onDisconnect);
  return {
    tell: (message) => process.send?.(message, () => undefined),
    onMessage: (listener) => process.on('message', listener),
    release() {
      process.off('disconnect', onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
}
