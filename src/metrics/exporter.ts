/** Serves a registry over HTTP, as Prometheus reads it. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import type { Registry } from 'prom-client';
import { formatHostPort, listenError, type HostPort } from '../core/address.js';
import { isSecure, mayRead, type Access } from './access.js';
import { httpInTwo, type ServerCertificate } from './two-in-one.js';

export interface Health {
  readonly healthy: boolean;
  readonly ready: boolean;
  readonly state: string;
}

export interface ExporterNeeds {
  readonly registry: Registry;
  /** Asked by /healthz and /readyz: whether the process does its work, whether it takes part in a run, and its state. */
  readonly health: () => Health;
  /** Absent: everybody may read. */
  readonly access?: Access | undefined;
  /**
   * By what it is known, at the moment: HTTPS is served then, and without TLS nothing but health, which a probe asks for that knows no
   * authority of a run. May be undefined until it is known.
   */
  readonly certificate?: (() => ServerCertificate | undefined) | undefined;
  /** What else is served here. @returns whether the path is one of its own, and is answered */
  readonly route?: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

export interface ExporterOptions {
  /** IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** The flag that an error names. Default `--metrics-port`. */
  readonly flag?: string;
}

/** A scrape is a few hundred bytes of request; nobody needs longer for it. */
const requestTimeoutMs = 5_000;

/** `GET /metrics`, `GET /healthz` and `GET /readyz` (200 or 503), and what `route` knows. Other paths are 404, other methods 405. */
export class MetricsExporter {
  private server: (Pick<TcpServer, 'close'> & Pick<Server, 'closeAllConnections'>) | undefined;

  constructor(
    private readonly needs: ExporterNeeds,
    private readonly options: ExporterOptions,
  ) {}

  /**
   * @returns where it listens, with the port that the system chose, and as a URL
   * @throws LockstepError `PORT_IN_USE`, `PORT_NOT_PERMITTED` or `ADDRESS_NOT_HERE`
   */
  async start(): Promise<HostPort & { readonly url: string }> {
    const { host, port, flag = '--metrics-port' } = this.options;
    const { certificate } = this.needs;
    const http = createServer(
      { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
      (request, response) => {
        this.answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
      },
    );
    const front = certificate && httpInTwo(http, certificate, requestTimeoutMs);
    const server: TcpServer = front?.server ?? http;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, { host, port }, flag)));
      server.listen({ host, port }, resolve);
    });
    this.server = {
      close: (onClosed) => server.close(onClosed),
      closeAllConnections() {
        front?.closeAllConnections();
        http.closeAllConnections();
      },
    };
    const at: HostPort = { host, port: (server.address() as AddressInfo).port };
    return { ...at, url: `${certificate ? 'https' : 'http'}://${formatHostPort(at)}/metrics` };
  }

  /** Ends open connections, too: a scraper keeps them open between its visits. Safe to call twice. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'text/plain', 'only GET\n', { allow: 'GET, HEAD' });
    const path = request.url?.split('?', 1)[0];
    if (path === '/healthz' || path === '/readyz') {
      const { healthy, ready, state } = this.needs.health();
      const isWell = path === '/healthz' ? healthy : ready;
      return send(response, isWell ? 200 : 503, 'application/json', `${JSON.stringify({ healthy, ready, state })}\n`);
    }
    if (this.needs.certificate && !isSecure(request))
      return send(response, 403, 'text/plain', 'this is served with TLS alone, at https://: docs/security.md\n');
    if (this.needs.access && !mayRead(request, response, this.needs.access)) return;
    if (path === '/metrics') {
      const { registry } = this.needs;
      return send(response, 200, registry.contentType, await registry.metrics());
    }
    if (this.needs.route?.(request, response) === true) return;
    send(response, 404, 'text/plain', 'try /metrics or /healthz\n');
  }
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': type, ...headers }).end(body); // node leaves the body of a HEAD out
}
