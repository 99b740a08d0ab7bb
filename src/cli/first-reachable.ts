import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatHostPort, type HostPort } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import { knock } from '../transport/knock.js';

/** A packet filter that swallows packets gives no answer at all; the next address is not to wait for long. */
const patienceMs = 2_000;

/** The network, as somebody who only looks for an open door uses it. */
export interface Network {
  /** All addresses of a name, in the system's order. @throws Error if it has none */
  addressesOf(host: string): Promise<readonly string[]>;
  /** @returns undefined if something accepts connections there, or why not, in words */
  knock(at: HostPort): Promise<string | undefined>;
}

export function systemNetwork(clock: Clock): Network {
  return {
    async addressesOf(host) {
      return isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    },
    async knock(at) {
      const error = await knock(at, clock, patienceMs);
      return error && inWords(error);
    },
  };
}

/** What came of looking at one address, or at a name that has none. */
export interface Answer {
  readonly at: string;
  readonly port: number;
  /** Undefined: it accepts connections. */
  readonly reason: string | undefined;
  /** Whether there was an address to try. */
  readonly isTried: boolean;
}

/**
 * Tries one after the other, each name with all its addresses, until something accepts a connection.
 *
 * @returns what each said; the last one is the one that accepts, if any does
 */
export async function firstReachable(
  candidates: readonly HostPort[],
  network: Network,
): Promise<{ readonly found: string | undefined; readonly answers: readonly Answer[] }> {
  const answers: Answer[] = [];
  for (const { host, port } of candidates) {
    let addresses: readonly string[] = [];
    try {
      addresses = await network.addressesOf(host);
    } catch (error) {
      answers.push({
        at: formatHostPort({ host, port }),
        port,
        reason: inWords(error as NodeJS.ErrnoException),
        isTried: false,
      });
    }
    for (const address of addresses) {
      const at = formatHostPort({ host: address, port });
      const reason = await network.knock({ host: address, port });
      answers.push({ at: address === host ? at : `${at} (${host})`, port, reason, isTried: true });
      if (reason === undefined) return { found: at, answers };
    }
  }
  return { found: undefined, answers };
}

/** `10.0.0.1:7070: connection refused; coordinator.example:7070: the name has no address` */
export function answersInWords(answers: readonly Answer[]): string {
  return answers.map(({ at, reason }) => `${at}: ${reason ?? 'accepts connections'}`).join('; ');
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no way to this host',
  ENETUNREACH: 'no way to this network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'the name has no address',
  EAI_AGAIN: 'the name server does not answer',
};

function inWords({ code = '', message }: NodeJS.ErrnoException): string {
  return words[code] ?? message;
}
