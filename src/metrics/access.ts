import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { isSameSecret } from '../core/secret.js';

/** What whoever reads has to show; undefined while nobody may read, since no token is known yet. */
export interface Access {
  readonly token: () => string | undefined;
}

const cookieName = 'lockstep-token';

/**
 * Whether a request may be answered: it shows the token as a bearer, as a cookie, or in its query. A browser that comes to the
 * page with the token in its query gets the cookie, and an address without the token.
 *
 * @returns false if the request was answered here
 */
export function mayRead(request: IncomingMessage, response: ServerResponse, access: Access): boolean {
  const wanted = access.token();
  const url = new URL(request.url ?? '/', 'http://here');
  const inQuery = url.searchParams.get('token');
  const shown = inQuery ?? bearerOf(request) ?? cookieOf(request);
  if (wanted === undefined || shown === undefined || !isSameSecret(shown, wanted)) {
    const headers = { 'content-type': 'text/plain', 'www-authenticate': 'Bearer realm="lockstep"' };
    response.writeHead(401, headers).end('this needs the token of the run: docs/security.md\n');
    return false;
  }
  if (inQuery === null || url.pathname !== '/') return true;
  const cookie = `${cookieName}=${encodeURIComponent(shown)}; HttpOnly; SameSite=Strict; Path=/${isSecure(request) ? '; Secure' : ''}`;
  response.writeHead(303, { location: '/', 'set-cookie': cookie, 'cache-control': 'no-store' }).end();
  return false;
}

/** Whether a request came with TLS. */
export function isSecure({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
  return socket instanceof TLSSocket;
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

function cookieOf({ headers }: IncomingMessage): string | undefined {
  const found = (headers.cookie ?? '').split(/; */).find((each) => each.startsWith(`${cookieName}=`));
  return found && decoded(found.slice(cookieName.length + 1));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
