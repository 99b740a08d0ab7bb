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
  readonly wallTimeMs: () => number;
}

/** The command lines of a run's programs on this host. */
export class Commands {
  constructor(
    private readonly ledger: RunLedger,
    private readonly options: CommandOptions,
  ) {}

  /** @param isTakingOver - the run was begun by a coordinator that is gone, or will be */
  async coordinator(run: RunRecord, isTakingOver: boolean): Promise<readonly string[]> {
    return [
      ...['coordinator', ...run.flags],
      ...['--workers', String(run.workers), '--max-workers', String(run.maxWorkers)],
      ...['--port', '0', '--out', this.freshFolder(run.name)],
      ...(isTakingOver ? ['--standby'] : []),
      ...(await this.common(run)),
    ];
  }

  async worker(run: RunRecord, slot: number, flags: readonly string[]): Promise<readonly string[]> {
    const name = `${this.options.name}-${slot}`;
    return ['worker', '--name', name, '--exchange-port', '0', ...flags, ...(await this.common(run))];
  }

  private async common(run: RunRecord): Promise<readonly string[]> {
    const { nats, listen, advertise } = this.options;
    return [
      ...natsFlags(nats),
      ...['--run', run.name, '--listen', listen, '--metrics-port', '0'],
      ...['--join-timeout', String(joinTimeoutSeconds)],
      ...(advertise === undefined ? [] : ['--advertise', advertise]),
      ...(this.options.insecure ? ['--insecure'] : ['--certs', await this.certificates(run.name)]),
    ];
  }

  /** A coordinator in place of one that was lost goes on by what NATS has of the run, in a folder of its own. */
  private freshFolder(run: string): string {
    for (let i = 1; ; i++) {
      const path = join(this.options.folder, outFolder(run, i));
      if (!existsSync(path)) return path;
    }
  }

  /** @returns the folder of the run's certificates on this host */
  private async certificates(run: string): Promise<string> {
    const path = join(this.options.folder, certificateFolder(run));
    if (new CertificateFolder(path).hasAuthority) return path;
    const entry = await this.ledger.secrets.get(run);
    if (!entry) throw new Error(`NATS has no certificates of run ${run}`);
    const { ca, key, metricsToken } = entry.value;
    const authority = Authority.from(ca, key, path, this.options.wallTimeMs);
    await CertificateFolder.create(path, { authority, key, metricsToken });
    return path;
  }
}
