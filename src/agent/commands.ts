import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Authority } from '../security/authority.js';
import { CertificateFolder } from '../security/folder.js';
import { natsFlags, type NatsAccess } from '../transport/nats/connection.js';
import type { RunRecord, RunLedger } from '../transport/nats/run-ledger.js';
import { certificateFolder, outFolder } from './run-paths.js';

/** Slots may be far apart: programs of a run wait this long for each other. */
const joinTimeoutSeconds = 600;

export interface CommandOptions {
  /** What the programs of the runs need on this host lies here. */
  readonly folder: string;
  readonly nats: NatsAccess;
  readonly name: string;
  readonly listen: string;
  readonly advertise?: string | undefined;
  readonly insecure: boolean;
  /** Workers run the module that a run with `--ship` sends. */
  readonly acceptShipped: boolean;
  readonly wallTimeMs: () => number;
}

/** The command lines of a run's programs on this host. */
export class Commands {
  constructor(
    private readonly ledger: RunLedger,
    private readonly options: CommandOptions,
  ) {}

  /**
   * @param isTakingOver - the run was begun by a coordinator that is gone, or will be
   * @returns undefined if NATS has no certificates of the run
   */
  async coordinator(run: RunRecord, isTakingOver: boolean): Promise<readonly string[] | undefined> {
    const common = await this.common(run);
    return (
      common && [
        ...['coordinator', ...run.flags],
        ...['--workers', String(run.workers), '--max-workers', String(run.maxWorkers)],
        ...['--port', '0', '--out', this.freshFolder(run.name)],
        ...(isTakingOver ? ['--standby'] : []),
        ...common,
      ]
    );
  }

  /** @returns undefined if NATS has no certificates of the run: it has just ended */
  async worker(run: RunRecord, slot: number, flags: readonly string[]): Promise<readonly string[] | undefined> {
    const name = `${this.options.name}-${slot}`;
    const common = await this.common(run);
    const shipped = this.options.acceptShipped ? ['--accept-shipped'] : [];
    return common && ['worker', '--name', name, '--exchange-port', '0', ...shipped, ...flags, ...common];
  }

  private async common(run: RunRecord): Promise<readonly string[] | undefined> {
    const { nats, listen, advertise, insecure } = this.options;
    const certificates = insecure ? undefined : await this.certificates(run.name);
    if (!insecure && certificates === undefined) return undefined;
    return [
      ...natsFlags(nats),
      ...['--run', run.name, '--listen', listen, '--metrics-port', '0'],
      ...['--join-timeout', String(joinTimeoutSeconds)],
      ...(advertise === undefined ? [] : ['--advertise', advertise]),
      ...(certificates === undefined ? ['--insecure'] : ['--certs', certificates]),
    ];
  }

  /** A coordinator in place of one that was lost goes on by what NATS has of the run, in a folder of its own. */
  private freshFolder(run: string): string {
    for (let i = 1; ; i++) {
      const path = join(this.options.folder, outFolder(run, i));
      if (!existsSync(path)) return path;
    }
  }

  /** @returns the folder of the run's certificates on this host, which are those that NATS has */
  private async certificates(run: string): Promise<string | undefined> {
    const entry = await this.ledger.secrets.get(run);
    if (!entry) return undefined;
    const { ca, key, metricsToken } = entry.value;
    const path = join(this.options.folder, certificateFolder(run));
    const folder = new CertificateFolder(path);
    const { wallTimeMs } = this.options;
    if (folder.hasAuthority && folder.authority(wallTimeMs).certificate === ca) return path;
    await CertificateFolder.create(path, { authority: Authority.from(ca, key, path, wallTimeMs), key, metricsToken });
    return path;
  }
}
