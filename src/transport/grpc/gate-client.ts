import { status, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import { fingerprintOf } from '../../security/authority.js';
import { fault } from '../../security/faults.js';
import type { Identity } from '../../security/identity.js';
import { readToken } from '../../security/token.js';
import { channelOptions, reasonOf } from './channels.js';
import { GateClient } from './definitions.js';
import type { EnrolResponse__Output } from './generated/lockstep/v1/EnrolResponse.js';
import { securityWith } from './secure-client.js';
import { shownAt } from './shown-certificates.js';

const patienceMs = 10_000;

/** What a worker asks the coordinator's gate for. */
export interface Enrolee {
  readonly name: string;
  readonly publicKey: Uint8Array;
}

/**
 * Exchanges a join token for a certificate.
 *
 * @throws LockstepError `TOKEN_MALFORMED`, `OTHER_COORDINATOR`, `NOT_ADMITTED`
 */
export async function enrol(
  address: string,
  token: string,
  enrolee: Enrolee,
  clock: Clock,
): Promise<EnrolResponse__Output> {
  const ca = await authorityAt(address, readToken(token).ca, clock);
  return ask(address, securityWith({ ca }, 'coordinator'), { ...enrolee, token }, clock);
}

/** A new certificate for whoever has one that is still valid. @throws LockstepError `NOT_ADMITTED` */
export function renew(
  address: string,
  identity: Identity,
  enrolee: Enrolee,
  clock: Clock,
): Promise<EnrolResponse__Output> {
  return ask(address, securityWith(identity.current(), 'coordinator'), { ...enrolee, token: '' }, clock);
}

async function ask(
  address: string,
  { channelCredentials, securityOptions }: ReturnType<typeof securityWith>,
  request: Enrolee & { readonly token: string },
  clock: Clock,
): Promise<EnrolResponse__Output> {
  const client = new GateClient(address, channelCredentials, { ...channelOptions, ...securityOptions });
  let cancel = (): void => undefined;
  try {
    return await new Promise<EnrolResponse__Output>((resolve, reject) => {
      const { token, name } = request;
      const call = client.enrol({ token, name, publicKey: Buffer.from(request.publicKey) }, (error, answer) =>
        error ? reject(error) : resolve(answer!),
      );
      cancel = clock.setTimer(patienceMs, () => call.cancel());
    });
  } catch (error) {
    const { code, details } = error as ServiceError;
    throw fault(
      'NOT_ADMITTED',
      { address, reason: code === status.UNAUTHENTICATED ? details : reasonOf(error) },
      error,
    );
  } finally {
    cancel();
    client.close();
  }
}

/**
 * The certificate of the authority as the server at `address` shows it. It is believed for its fingerprint, which came with
 * the token; after this the connection is checked like any other.
 */
async function authorityAt(address: string, fingerprint: string, clock: Clock): Promise<string> {
  const other = (reason: string, cause?: unknown) => fault('OTHER_COORDINATOR', { address, reason }, cause);
  const shown = await shownAt(address, clock).catch((error: unknown) => {
    throw other((error as Error).message, error);
  });
  const authority = shown.find(({ raw }) => fingerprintOf(raw) === fingerprint);
  if (!authority) throw other('its certificate comes from another authority');
  return authority.toString();
}
