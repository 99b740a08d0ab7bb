import type { Channel, FromCoordinator, FromWorker } from '../cluster/session.js';
import { lockstepErrorIn } from '../core/errors.js';

/** Tells a worker why it cannot take part, and ends its stream. @throws `error` itself if it is a bug */
export function refuse(channel: Channel<FromCoordinator, FromWorker>, error: unknown): void {
  const known = lockstepErrorIn(error);
  if (!known) throw error;
  const { code, message, remedy, exitCode } = known;
  channel.send({ kind: 'refused', code, message, remedy, exitCode });
  channel.close();
}
