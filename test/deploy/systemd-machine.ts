/**
 * A machine with systemd, as a view of this one: the same files, in which whatever is written goes with the test, and processes,
 * host name, loopback address and control groups of its own. Debian's `systemd` is the first of its processes, so that units
 * run as on any machine, with all that they say about rights and restarts.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/core/paths.js';
import { missingTools } from './needs.js';

/** Where the clone lies in the machine, of which this is one. */
const clone = '/srv/lockstep';
const systemd = '/lib/systemd/systemd';
/** How often a state is looked at that nobody announces. */
const pollMs = 200;

/** Becomes the machine: $1 is an empty folder, $2 the clone. What is mounted goes with the processes. */
const boot = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay root -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mkdir -p srv/lockstep
mount --bind "$2" srv/lockstep
ip link set lo up
# Nothing that is enabled here is started there.
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires
printf '[Unit]\\nDescription=Nothing but what is asked for\\n' > etc/systemd/system/bare.target
# Who tries things out here is root already.
printf '#!/bin/sh\\nexec "$@"\\n' > usr/local/bin/sudo
chmod 755 usr/local/bin/sudo
mkdir old
pivot_root . old
exec chroot . sh -c 'umount --lazy /old && exec env -i container=lockstep-test ${systemd} --system --unit=bare.target --log-target=null --show-status=no'
`;
const spaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--fork', '--kill-child'];

/** Why there can be no such machine here; undefined where there can be one. */
export function whyNoSystemd(): string | undefined {
  const tools = { systemctl: 'systemd', 'nats-server': 'nats-server', ip: 'iproute2', pivot_root: 'util-linux' };
  const missing = missingTools(
    Object.fromEntries(Object.entries(tools).map(([tool, from]) => [tool, `Debian: ${from}`])),
  );
  if (missing !== undefined) return missing;
  if (!existsSync(systemd)) return `${systemd} is not there (Debian: systemd)`;
  if (process.getuid?.() !== 0) return 'needs root, for namespaces';
  if (groupsFolder() === undefined) return 'control groups (cgroup2) are not mounted';
  const trial = spawnSync('unshare', [...spaces, 'true'], { encoding: 'utf8' });
  return trial.status === 0 ? undefined : `namespaces are not allowed here: ${trial.stderr.trim()}`;
}

/** Where control groups of the second version are mounted. */
function groupsFolder(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class SystemdMachine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-systemd-'));
  private readonly group = join(groupsFolder()!, `lockstep-systemd-${process.pid}`);
  private init: ChildProcess | undefined;
  /** The process of systemd, as this machine counts. */
  private pid = '';

  /** @returns when systemd takes commands */
  async start(): Promise<void> {
    mkdirSync(this.group);
    const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const init = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'sh', '-c', enter, this.group, 'unshare', ...spaces, 'sh', '-c', boot, 'boot'].concat(
        this.folder,
        packageRoot,
      ),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.init = init;
    let said = '';
    init.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      if (init.exitCode !== null || waitedMs > 60_000) throw new Error(`systemd does not start: ${said}`);
      this.pid = children(init.pid!)[0] ?? '';
      if (isSystemd(this.pid) && existsSync(this.path('/run/systemd/private'))) return;
      await delay(pollMs);
    }
  }

  /** A file of the machine, as this one sees it. */
  path(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Starts a command in the clone, as a person at the machine does. */
  spawn(command: string): { readonly child: ChildProcess; readonly ended: Promise<Outcome> } {
    const child = spawn('nsenter', ['--target', this.pid, '--all', 'sh', '-c', `cd ${clone} && ${command}`], {
      env: { ...process.env, NO_COLOR: '1', SYSTEMD_PAGER: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return { child, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })) };
  }

  /** Runs a command that has to succeed. @returns what it wrote */
  async must(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.spawn(command).ended;
    if (code !== 0) throw new Error(`${command}: exit code ${code}\n${stdout.slice(-3_000)}\n${stderr.slice(-3_000)}`);
    return stdout;
  }

  /** A property of a unit, as systemd says it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.must(`systemctl show --value --property ${name} ${unit}`)).trim();
  }

  /** Processes of a unit, as the machine counts. */
  async processes(unit: string): Promise<readonly string[]> {
    const group = `/sys/fs/cgroup/system.slice/${unit}.service/cgroup.procs`;
    return (await this.must(`cat ${group} 2>/dev/null || true`)).split('\n').filter((pid) => pid !== '');
  }

  /** What a unit has written. */
  log(unit: string): Promise<string> {
    return this.must(`journalctl --sync && journalctl --output cat --unit ${unit}`);
  }

  /** Waits for something that nobody announces, and gives up where a person would. */
  async until(what: string, unit: string, isSo: () => boolean | Promise<boolean>, limitMs = 120_000): Promise<void> {
    for (let waitedMs = 0; !(await isSo()); waitedMs += pollMs) {
      if (waitedMs > limitMs) throw new Error(`in vain: ${what}\n${(await this.log(unit)).slice(-3_000)}`);
      await delay(pollMs);
    }
  }

  /** Ends the machine with all its processes, and leaves nothing. */
  async stop(): Promise<void> {
    const { init } = this;
    if (init && init.exitCode === null && init.signalCode === null) {
      init.kill('SIGKILL');
      await once(init, 'exit');
    }
    // The last processes may still be about to go.
    for (let i = 0; existsSync(this.group); i++) {
      try {
        removeGroup(this.group);
      } catch (error) {
        if (i > 50) throw error;
        await delay(pollMs);
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Before that it is the script, which still sees this machine's files. */
function isSystemd(pid: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith('/systemd');
  } catch {
    return false;
  }
}

function children(pid: number): readonly string[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split(' ')
        .filter((word) => word !== '')
    : [];
}

function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  rmdirSync(path);
}
