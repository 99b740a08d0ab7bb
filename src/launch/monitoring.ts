import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Clock } from '../core/clock.js';
import { packageRoot } from '../core/paths.js';
import { metricsName } from '../security/identity.js';
import { fault } from './faults.js';

export interface MonitoringOptions {
  /** Of the coordinator whose `/api/targets` says what there is to watch. */
  readonly coordinatorUrl: string;
  /** File with the authority of a run with TLS. */
  readonly ca?: string | undefined;
  /** Of Prometheus; 0 takes any free one. The others take free ones. */
  readonly port: number;
  readonly clock: Clock;
  /** Changes prometheus.yml and alerts.yml before they are used. */
  readonly adapt?: (text: string) => string;
}

const host = '127.0.0.1';
const readyMs = 20_000;
const pollMs = 100;
const deploy = join(packageRoot, 'deploy');

/** Adds what the job and its discovery need of a run beyond loopback: the token that is in its URL, and whom to believe. */
function withAccess(config: string, coordinatorUrl: string, ca: string | undefined): string {
  const token = new URL(coordinatorUrl).searchParams.get('token');
  const settings = {
    ...(token !== null && { authorization: { type: 'Bearer', credentials: token } }),
    ...(ca !== undefined && { tls_config: { ca_file: ca, server_name: metricsName } }),
  };
  const lines = (indent: string): string =>
    Object.entries(settings)
      .map(([key, value]) => `${indent}${key}: ${JSON.stringify(value)}\n`)
      .join('');
  return config.replace(/^( +)- (?:job_name|url): .*\n/gm, (line, indent: string) => line + lines(`${indent}  `));
}

/** Prometheus with our scrape job and our alerts, and Alertmanager and Grafana where they are. On loopback only. */
export class Monitoring {
  private readonly children: ChildProcess[] = [];
  private folder: string | undefined;
  private end: () => void = () => undefined;
  /** When it was stopped, or Prometheus ended. */
  readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(private readonly options: MonitoringOptions) {}

  /**
   * @returns what was started, by name, and where
   * @throws LockstepError `PROGRAM_MISSING` without Prometheus, `PROGRAM_FAILED`
   */
  async start(): Promise<ReadonlyMap<string, string>> {
    const prometheus = found('prometheus');
    if (prometheus === undefined) throw fault('PROGRAM_MISSING', { program: 'prometheus' });
    const folder = (this.folder = await mkdtemp(join(tmpdir(), 'lockstep-monitor-')));
    const started = new Map<string, string>();

    const alertmanager = found('prometheus-alertmanager') ?? found('alertmanager');
    const alertPort = await freePort();
    if (alertmanager !== undefined) {
      const url = `http://${host}:${alertPort}`;
      const config = join(folder, 'alertmanager.yml');
      await writeFile(config, 'route: { receiver: nobody, group_wait: 1s }\nreceivers: [{ name: nobody }]\n');
      await this.launch('alertmanager', alertmanager, `${url}/-/ready`, [
        `--config.file=${config}`,
        `--storage.path=${join(folder, 'alerts')}`,
        `--web.listen-address=${host}:${alertPort}`,
        '--cluster.listen-address=',
      ]);
      started.set('Alertmanager', url);
    }

    const port = this.options.port === 0 ? await freePort() : this.options.port;
    const url = `http://${host}:${port}`;
    await this.writePrometheusConfig(folder, alertmanager === undefined ? undefined : alertPort);
    await this.launch('prometheus', prometheus, `${url}/-/ready`, [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${host}:${port}`,
    ]);
    started.set('Prometheus', url);

    const grafana = found('grafana-server');
    if (grafana !== undefined) started.set('Grafana', await this.startGrafana(grafana, folder, url));
    return started;
  }

  /** Ends what was started and removes what it stored. Safe to call twice. */
  async stop(): Promise<void> {
    const { folder } = this;
    this.folder = undefined;
    await Promise.all(this.children.map(ended));
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    this.end();
  }

  /** deploy/prometheus/ for this machine: our coordinator, our Alertmanager, our rules. */
  private async writePrometheusConfig(folder: string, alertPort: number | undefined): Promise<void> {
    const { coordinatorUrl, ca, adapt = (text) => text } = this.options;
    const read = (name: string) => readFile(join(deploy, 'prometheus', name), 'utf8');
    const config = (await read('prometheus.yml'))
      .replace('http://127.0.0.1:9464/api/targets', new URL('/api/targets', coordinatorUrl).href)
      .replace("'127.0.0.1:9093'", alertPort === undefined ? '' : `'${host}:${alertPort}'`);
    await writeFile(join(folder, 'prometheus.yml'), adapt(withAccess(config, coordinatorUrl, ca)), { mode: 0o600 });
    await writeFile(join(folder, 'alerts.yml'), adapt(await read('alerts.yml')));
  }

  private async startGrafana(program: string, folder: string, prometheusUrl: string): Promise<string> {
    const url = `http://${host}:${await freePort()}`;
    const provisioning = join(deploy, 'grafana', 'provisioning');
    await this.launch('grafana', program, `${url}/api/health`, ['--homepath', '/usr/share/grafana'], {
      GF_SERVER_HTTP_ADDR: host,
      GF_SERVER_HTTP_PORT: new URL(url).port,
      GF_PATHS_DATA: join(folder, 'grafana'),
      GF_PATHS_PROVISIONING: provisioning,
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      LOCKSTEP_PROMETHEUS: prometheusUrl,
      LOCKSTEP_DASHBOARDS: join(deploy, 'grafana'),
    });
    return url;
  }

  /** Starts a program, and waits until it says that it is ready. */
  private async launch(
    name: string,
    program: string,
    readyUrl: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { clock } = this.options;
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, //                                            Ctrl-C reaches it through us alone
    });
    this.children.push(child);
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (words = `${words}${text}`.slice(-2_000)));
    const over = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code) => resolve(words.trim().split('\n').at(-1) || `exit code ${code}`));
    });
    let reason: string | undefined;
    void over.then((why) => (reason = why));
    for (const beginMs = clock.nowMs(); clock.nowMs() - beginMs < readyMs && reason === undefined;) {
      const response = await fetch(readyUrl).catch(() => undefined);
      if (response?.ok) {
        if (name === 'prometheus') void over.then(() => this.end());
        return;
      }
      await new Promise<void>((resolve) => void clock.setTimer(pollMs, resolve));
    }
    throw fault('PROGRAM_FAILED', { program: name, reason: reason ?? `it was not ready after ${readyMs / 1000} s` });
  }
}

/** Where a program lies, if it is installed. */
function found(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/share/grafana/bin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await exit;
}
