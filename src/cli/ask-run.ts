import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { checkServerIdentity } from 'node:tls';
import { metricsName } from '../security/identity.js';

/** A run that goes on, as its coordinator's first line says it: `https://HOST:9464/?token=...`. */
export interface RunAddress {
  readonly url: string;
  /** PEM of the run's authority: whom it certifies is believed to be of the run, whatever the host is called. */
  readonly ca?: string | undefined;
}

/**
 * Asks a coordinator over HTTP, with the token that is in its address.
 *
 * @returns the answer, when it begins
 * @throws Error if it is not 200
 */
export async function askRun({ url, ca }: RunAddress, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  const at = new URL(path, url);
  const token = new URL(url).searchParams.get('token');
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const trust = ca === undefined ? {} : { ca, checkServerIdentity: checkRun };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking =
      at.protocol === 'https:'
        ? requestSecure(at, { headers, signal, ...trust }, resolve)
        : requestPlain(at, { headers, signal }, resolve);
    asking.once('error', reject).end();
  });
  if (answer.statusCode === 200) return answer;
  answer.destroy();
  throw new Error(`it answers ${answer.statusCode}${answer.statusCode === 401 ? ': the address needs the token' : ''}`);
}

/** @param host - does not matter: addresses change, and the authority certifies nobody but programs of the run */
function checkRun(_host: string, certificate: Parameters<typeof checkServerIdentity>[1]): Error | undefined {
  return checkServerIdentity(metricsName, certificate);
}
