import { connect } from 'node:net';
import type { HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';

/**
 * Whether something accepts TCP connections there; nothing is said on the one that is tried.
 *
 * @returns undefined if so, or the error that says why not
 */
export function knock({ host, port }: HostPort, clock: Clock, limitMs: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (error?: Error): void => {
      cancel();
      socket.destroy();
      resolve(error);
    };
    const cancel = clock.setTimer(limitMs, () => settle(new Error(`no answer within ${limitMs / 1000} s`)));
    socket.once('connect', () => settle());
    socket.once('error', settle);
  });
}
