/**
 * A worker's id is its stable name and a fresh suffix: a restarted worker is a new member, and never mistaken for the old
 * process, but it is the same one in metrics and pictures.
 */

/** @param suffix - six hexadecimal digits */
export function workerIdOf(name: string, suffix: string): string {
  return `${name}-${suffix}`;
}

/** `worker-1` of `worker-1-3f9a2c`. */
export function nameOfWorker(workerId: string): string {
  return workerId.replace(/-[0-9a-f]{6}$/, '');
}
