/**
 * A Slurm cluster on this machine, made of Debian's `slurm-wlm` and `munge`: a controller and nodes, each a slurmd with its
 * own host name, address and process tree. All of it lies in namespaces of its own, so that no port, no process and no
 * file of the machine is touched, and nothing outlives the test: its processes die with those that started them.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Why there can be no cluster here; undefined where there can be one. */
export function whyNoSlurm(): string | undefined {
  const tools = ['slurmctld', 'slurmd', 'munged', 'unshare', 'nsenter', 'setpriv', 'ip'];
  const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length > 0) return `${missing.join(', ')} not installed (Debian: slurm-wlm munge util-linux iproute2)`;
  if (process.getuid?.() !== 0) return 'needs root, for namespaces';
  const trial = spawnSync('unshare', ['--mount', '--net', '--uts', '--pid', '--fork', 'true'], { encoding: 'utf8' });
  return trial.status === 0 ? undefined : `namespaces are not allowed here: ${trial.stderr.trim()}`;
}

/** Of a node: not a loopback address, as a host that has no other is not asked for IPv4 addresses by name. */
const addressOf = (index: number): string => `10.77.0.${index + 1}`;

/** How often a state is looked at that nobody announces. */
const pollMs = 200;

export class SlurmCluster {
  private readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-slurm-'));
  private readonly nodes = new Map<string, ChildProcess>();
  private readonly daemons: ChildProcess[] = [];
  private space = 0;

  private readonly names: readonly string[];

  /**
   * @param plain - nodes of one core, which the default partition has; the controller runs beside the first
   * @param roomy - nodes of ten cores and two devices that stand for GPUs, in the partition `roomy`
   */
  constructor(plain: readonly string[], roomy: readonly string[]) {
    this.names = [...plain, ...roomy];
    const { folder } = this;
    const line = (name: string, i: number) => `NodeName=${name} NodeAddr=${addressOf(i)} Port=${7001 + i}`;
    const nodes = [
      ...plain.map((name, i) => `${line(name, i)} CPUs=1`),
      ...roomy.map((name, i) => `${line(name, plain.length + i)} CPUs=10 Gres=gpu:2`),
      `PartitionName=all Nodes=${plain.join(',')} Default=YES MaxTime=INFINITE State=UP`,
      `PartitionName=roomy Nodes=${roomy.join(',')} MaxTime=INFINITE State=UP`,
    ];
    writeFileSync(join(folder, 'slurm.conf'), `${settings(folder, plain[0]!)}${nodes.join('\n')}\n`);
    // Devices that swallow what is written to them: Slurm counts devices only.
    for (const gpu of ['gpu0', 'gpu1']) spawnSync('mknod', [join(folder, gpu), 'c', '1', '3']);
    writeFileSync(join(folder, 'gres.conf'), `NodeName=${roomy.join(',')} Name=gpu File=${folder}/gpu[0-1]\n`);
  }

  /** @returns when all nodes are idle */
  async start(): Promise<void> {
    const { folder, names } = this;
    for (const name of ['munge', 'state', ...names]) mkdirSync(join(folder, name), { mode: 0o700 });
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'munge', 'key'), randomBytes(128), { mode: 0o400 });
    writeFileSync(
      join(folder, 'hosts'),
      ['127.0.0.1 localhost', ...names.map((n, i) => `${addressOf(i)} ${n}`), ''].join('\n'),
    );
    const network = ['ip link set lo up', ...names.map((_, i) => `ip address add ${addressOf(i)}/32 dev lo`)].join(
      ' && ',
    );
    const ready = `${network} && mount --bind ${folder}/hosts /etc/hosts && echo ready && exec sleep infinity`;
    const space = this.daemon(['unshare', '--net', '--mount', 'sh', '-c', ready]);
    this.space = space.pid!;
    await once(space.stdout!, 'data');
    const munge = join(folder, 'munge');
    this.daemon([
      ...['munged', '--foreground', '--force', `--key-file=${munge}/key`, `--socket=${folder}/munge.socket`],
      ...[`--pid-file=${munge}/pid`, `--log-file=${munge}/log`, `--seed-file=${munge}/seed`],
    ]);
    await this.until('munge answers', () => existsSync(`${folder}/munge.socket`));
    this.daemon(this.inside(names[0]!, ['slurmctld', '-D', '-c']));
    for (const name of names) this.startNode(name);
    await this.until('all nodes are idle', () => names.every((name) => this.stateOf(name) === 'idle'));
  }

  startNode(name: string): void {
    this.nodes.set(name, this.daemon(this.inside(name, ['slurmd', '-D', '-N', name])));
  }

  /** As when its power fails: slurmd, slurmstepd and every task of the node are gone at once. */
  async loseNode(name: string): Promise<void> {
    const node = this.nodes.get(name)!;
    node.kill('SIGKILL');
    await once(node, 'exit');
  }

  /** A lost node is noticed as a health check does it, and sooner than by Slurm's own limit; then it starts again. */
  async bringBack(name: string): Promise<void> {
    this.run(['scontrol', 'update', `NodeName=${name}`, 'State=DOWN', 'Reason=lost']);
    this.startNode(name);
    await this.until(`${name} is back`, () => {
      const state = this.stateOf(name);
      // It may register between the question and the answer, is idle by itself then, and refuses to be resumed.
      if (state.startsWith('down')) this.attempt(['scontrol', 'update', `NodeName=${name}`, 'State=RESUME']);
      return !/down|unk|\*/.test(state);
    });
  }

  /** `idle`, `allocated`, `down*` and so on. */
  stateOf(name: string): string {
    return this.run(['sinfo', '--noheader', '--nodes', name, '--format', '%T']).stdout.trim();
  }

  /** `RUNNING`, `PENDING`, `COMPLETED` and so on. */
  stateOfJob(job: string): string {
    return this.fact(job, 'JobState');
  }

  /** A field of `scontrol show job`. */
  fact(job: string, field: string): string {
    return new RegExp(`\\b${field}=(\\S*)`).exec(this.run(['scontrol', 'show', 'job', job]).stdout)?.[1] ?? '';
  }

  /** Runs a command as a person on the login node does. @param cwd - where it runs, the place of a job's files */
  run(command: readonly string[], cwd = this.folder): { readonly stdout: string; readonly stderr: string } {
    const { status, stdout, stderr } = this.attempt(command, cwd);
    if (status !== 0 && command[0] !== 'sinfo') throw new Error(`${command.join(' ')} exit ${status}: ${stderr}`);
    return { stdout, stderr };
  }

  /** As `run`, for what may be refused: whoever calls looks at what became of it. */
  attempt(command: readonly string[], cwd = this.folder) {
    const [file = '', ...words] = this.inside('login', command, cwd);
    return spawnSync(file, words, { encoding: 'utf8', env: this.environment });
  }

  /** Waits for something that nobody announces, and gives up where a person would. */
  async until(what: string, isSo: () => boolean, limitMs = 120_000): Promise<void> {
    for (let waitedMs = 0; !isSo(); waitedMs += pollMs) {
      if (waitedMs > limitMs) throw new Error(`in vain: ${what}\n${this.logs()}`);
      await delay(pollMs);
    }
  }

  async stop(): Promise<void> {
    for (const daemon of this.daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill('SIGKILL');
      await once(daemon, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get environment(): NodeJS.ProcessEnv {
    const { PATH } = process.env;
    return { PATH, HOME: this.folder, SLURM_CONF: join(this.folder, 'slurm.conf'), NO_COLOR: '1' };
  }

  /** A command on one of the machines of the cluster: its own host name and process tree. */
  private inside(name: string, command: readonly string[], cwd = this.folder): string[] {
    const host = ['sh', '-c', 'hostname "$0" && exec "$@"', name];
    const own = ['unshare', '--uts', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    return ['nsenter', '--target', String(this.space), '--net', '--mount', `--wd=${cwd}`, ...own, ...host, ...command];
  }

  private daemon(command: readonly string[]): ChildProcess {
    const log = join(this.folder, 'daemons.log');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      env: this.environment,
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => writeFileSync(log, text, { flag: 'a' }));
    this.daemons.push(child);
    return child;
  }

  private logs(): string {
    const log = join(this.folder, 'daemons.log');
    return existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-30).join('\n') : '';
  }
}

/** Short limits, so that a test need not wait: a silent node is down after 5 s, a requeued job may start after 5 s. */
function settings(folder: string, controller: string): string {
  return `ClusterName=trial
SlurmctldHost=${controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/%n
SlurmctldPidFile=${folder}/state/pid
SlurmdPidFile=${folder}/%n/pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
GresTypes=gpu
SlurmdTimeout=5
KillWait=10
ReturnToService=2
SchedulerParameters=sched_interval=2
`;
}
