import type { HostPort } from '../core/address.js';
import { serversIn, type NatsAccess } from '../transport/nats/connection.js';

/** What a command was given about NATS, from its flags or a configuration. */
export interface NatsOptions {
  readonly nats: string;
  readonly natsCreds?: string | undefined;
  readonly natsCa?: string | undefined;
}

type MaybeNatsOptions = { readonly [K in keyof NatsOptions]?: string | undefined };

export function natsAccess(options: NatsOptions): NatsAccess;
export function natsAccess(options: MaybeNatsOptions): NatsAccess | undefined;
export function natsAccess({ nats, natsCreds, natsCa }: MaybeNatsOptions): NatsAccess | undefined {
  return nats === undefined ? undefined : { url: nats, credentials: natsCreds, ca: natsCa };
}

/** Where a server of `--nats` is, the first one of several; agents and coordinators are reached in the network that it is in. */
export function hostOfNats(urls: string): HostPort {
  return serversIn(urls)[0]!;
}
