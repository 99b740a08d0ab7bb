import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Audience, audienceMax } from './audience.js';
import type { Page } from './page.js';
import type { Recorder } from './recorder.js';

export interface RoutesNeeds {
  readonly recorder: Recorder;
  readonly audience: Audience;
  readonly page: Page;
  /** `host:port` of the metrics of each worker that is here. */
  readonly workers: () => readonly string[];
}

const noStore = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/**
 * What the coordinator serves beside its metrics:
 *
 *     /              the live page
 *     /api/picture   what the page shows, once; /api/live: as server-sent events
 *     /api/events    the run's events: ?since=SEQUENCE, ?follow=true; as lines of JSON, or as server-sent events
 *     /api/targets   where Prometheus finds the run's processes (HTTP service discovery)
 *
 * @returns whether the path is one of ours
 */
export function liveRoutes(needs: RoutesNeeds): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { recorder, audience, page, workers } = needs;
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://here');
    const isSecure = 'encrypted' in request.socket;
    switch (pathname) {
      case '/':
        response
          .writeHead(200, {
            ...noStore,
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': page.contentSecurityPolicy,
            'referrer-policy': 'no-referrer',
          })
          .end(page.html);
        return true;
      case '/api/picture':
        json(response, recorder.picture());
        return true;
      case '/api/live':
        if (hasRoom(audience, response)) audience.watch(response);
        return true;
      case '/api/events': {
        const asStream = request.headers.accept?.includes('text/event-stream') === true;
        const since = Number(request.headers['last-event-id'] ?? searchParams.get('since') ?? 0);
        const isFollowing = asStream || searchParams.get('follow') === 'true';
        if (!Number.isSafeInteger(since) || since < 0) {
          response
            .writeHead(400, { 'content-type': 'text/plain' })
            .end('since is the sequence of an event: 0, 1, 2...\n');
        } else if (!isFollowing || hasRoom(audience, response)) {
          audience.read(request, response, since, isFollowing, asStream);
        }
        return true;
      }
      case '/api/targets':
        json(response, [
          // Whoever asks has reached us under this name.
          target(`${isSecure ? 'https://' : ''}${request.headers.host ?? ''}`, 'lockstep-coordinator'),
          ...workers().map((address) => target(address, 'lockstep-worker')),
        ]);
        return true;
      default:
        return false;
    }
  };
}

/** As Prometheus wants it. @param address - `host:port`, with `https://` before it where that is spoken */
function target(address: string, job: string) {
  const at = address.replace(/^https:\/\//, '');
  return { targets: [at], labels: { job, ...(at === address ? {} : { __scheme__: 'https' }) } };
}

function hasRoom(audience: Audience, response: ServerResponse): boolean {
  if (audience.size < audienceMax) return true;
  response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '30' }).end('too many look on already\n');
  return false;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { ...noStore, 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}
