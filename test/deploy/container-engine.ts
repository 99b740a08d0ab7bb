/**
 * A container engine of this test's own: Debian's `buildah`, `podman` and `runc`, with their storage in a folder that goes
 * with the test. `docker` as the pages write it is one of these two: a script in the folder translates. What is built sees
 * the machine's network; what runs has the loopback address of a network of the test's own, so that no port meets another's.
 *
 * The base image is made by `debootstrap`, with the Node.js that runs this test: no registry of images is asked.
 */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/core/paths.js';
import { missingTools } from './needs.js';

/** The system of the base image. */
const suite = 'bookworm';
const mirror = 'http://deb.debian.org/debian';
/** Of certificates, on Debian: the base trusts whom this machine trusts. */
const certificates = 'etc/ssl/certs/ca-certificates.crt';

/** How often a state is looked at that nobody announces, and for how long. */
const pollMs = 200;
const limitMs = 120_000;

export const baseImage = 'localhost/lockstep-base:1';

/** Copying nothing where the kernel can lay folders over each other, as a container starts ten times as fast then. */
function storageDriver(folder: string): string {
  const trial = `cd ${folder} && mkdir lower upper work all && mount -t overlay trial -o lowerdir=lower,upperdir=upper,workdir=work all`;
  return spawnSync('unshare', ['--mount', 'sh', '-c', trial]).status === 0 ? 'overlay' : 'vfs';
}

/** Why no container can be started here; undefined where it is possible. */
export function whyNoContainers(): string | undefined {
  const missing = missingTools(
    Object.fromEntries(['buildah', 'podman', 'runc', 'debootstrap', 'ip'].map((tool) => [tool, `Debian: ${tool}`])),
  );
  if (missing !== undefined) return missing;
  if (process.getuid?.() !== 0) return 'needs root, for a base image and for namespaces';
  const trial = spawnSync('unshare', ['--mount', '--pid', '--ipc', '--uts', '--fork', 'true'], { encoding: 'utf8' });
  return trial.status === 0 ? undefined : `namespaces are not allowed here: ${trial.stderr.trim()}`;
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ContainerEngine {
  private readonly folder = mkdtempSync(join(tmpdir(), 'lockstep-containers-'));
  private network: ChildProcess | undefined;
  private readonly storage = ['--root', join(this.folder, 'root'), '--runroot', join(this.folder, 'run')];

  /** @returns when there is a base image, and `docker` */
  async start(): Promise<void> {
    const root = await baseRoot();
    mkdirSync(join(this.folder, 'bin'));
    const driver = storageDriver(mkdtempSync(join(this.folder, 'trial-')));
    const storage = [...this.storage, '--storage-driver', driver];
    const buildah = ['buildah', ...storage];
    const podman = ['podman', ...storage, '--tmpdir', join(this.folder, 'tmp')];
    // runc, the host's network and low limits: so containers start within containers, too.
    podman.push('--runtime', 'runc', '--cgroup-manager', 'cgroupfs');
    writeFileSync(
      join(this.folder, 'containers.conf'),
      '[containers]\nnetns = "host"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n',
    );
    this.network = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', 'ip link set lo up && echo ready && exec sleep infinity'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(this.network.stdout!, 'data');
    const inside = `nsenter --target ${String(this.network.pid)} --net`;
    const settings = `CONTAINERS_CONF=${this.folder}/containers.conf`;
    this.script('podman', `${settings} exec ${inside} ${which('podman')} ${podman.slice(1).join(' ')} "$@"`);
    this.script(
      'docker',
      `command=$1
shift
case $command in
  build) exec ${buildah.join(' ')} build --layers --format docker --isolation chroot --build-arg BASE=${baseImage} \\
    --build-arg COMPILER=none "$@" ;;
  compose) exec podman-compose --in-pod false --podman-path ${this.folder}/bin/podman "$@" ;;
  # Docker gives a container that may not write to its root no other place either.
  run) exec ${this.folder}/bin/podman run --read-only-tmpfs=false "$@" ;;
  *) exec ${this.folder}/bin/podman "$command" "$@" ;;
esac`,
    );
    writeFileSync(join(this.folder, 'Base'), `FROM scratch\nADD ${basename(root)} /\n`);
    const words = ['build', '--isolation', 'chroot', '--tag', baseImage, '--file', join(this.folder, 'Base')];
    await this.must([...buildah, ...words, dirname(root)]);
  }

  /** An image of a program of this machine, under the name that a registry has for it; it starts in an empty folder. */
  async imageOf(program: string, name: string, folder = '/data'): Promise<void> {
    const place = join(this.folder, program);
    mkdirSync(place);
    copyFileSync(which(program), join(place, program));
    const entrypoint = JSON.stringify([program]);
    writeFileSync(
      join(place, 'Dockerfile'),
      `FROM ${baseImage}\nCOPY ${program} /usr/local/bin/${program}\nWORKDIR ${folder}\nENTRYPOINT ${entrypoint}\n`,
    );
    await this.must(['docker', 'build', '--tag', name, place]);
  }

  /** Runs a command as a reader of the pages does. @param cwd - the clone, if nothing else is said */
  async run(command: string | readonly string[], cwd = packageRoot): Promise<Outcome> {
    const words = typeof command === 'string' ? ['sh', '-c', command] : command;
    const child = spawn(words[0]!, words.slice(1), {
      cwd,
      env: { ...process.env, PATH: `${this.folder}/bin:${process.env['PATH']}`, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** As `run`, for what has to succeed. @returns what it wrote */
  async must(command: string | readonly string[], cwd = packageRoot): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, cwd);
    const said = typeof command === 'string' ? command : command.join(' ');
    if (code !== 0) throw new Error(`${said}: exit code ${code}\n${stdout.slice(-3_000)}\n${stderr.slice(-3_000)}`);
    return stdout;
  }

  /** What a container has written. */
  async logOf(container: string): Promise<string> {
    const { stdout, stderr } = await this.run(['podman', 'logs', container]);
    return stdout + stderr;
  }

  /** A fact about an image or a container, as a template of `inspect` says it. */
  async inspect(what: string, format: string): Promise<string> {
    return (await this.must(['podman', 'inspect', '--format', format, what])).trim();
  }

  /** Waits for something that nobody announces, in vain if the container ends, and gives up where a person would. */
  async until(what: string, container: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const state = await this.inspect(container, '{{.State.Status}}'); // before the question, which it may settle by its end
      if (await isSo()) return;
      if (state !== 'running' || waitedMs > limitMs)
        throw new Error(`in vain: ${what}; ${container} is ${state}\n${(await this.logOf(container)).slice(-3_000)}`);
      await delay(pollMs);
    }
  }

  /** @returns the first match in what a container writes, sooner or later */
  async seen(container: string, pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    const isThere = async (): Promise<boolean> => (found = pattern.exec(await this.logOf(container))) !== null;
    await this.until(String(pattern), container, isThere);
    return found!;
  }

  /** Ends every container: twice if need be, as one that is to be restarted may start while it is removed. */
  async removeContainers(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await this.run('podman rm --all --force --time 0');
      if ((await this.run('podman ps --all --quiet')).stdout.trim() === '') return;
    }
    throw new Error(`containers cannot be removed: ${(await this.run('podman ps --all')).stdout}`);
  }

  /** Leaves nothing. */
  async stop(): Promise<void> {
    try {
      await this.removeContainers();
    } finally {
      this.network?.kill('SIGKILL');
      // The driver overlay mounts its folder on itself, and leaves that to whoever uses it next.
      for (const place of mountsBelow(this.folder)) spawnSync('umount', [place]);
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private script(name: string, text: string): void {
    writeFileSync(join(this.folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
}

/** @returns an archive of a small Debian with Node.js and npm; made once, it lies in this user's cache */
async function baseRoot(): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lockstep-tests', 'base-image');
  const archive = join(cache, `${suite}-node-${process.version}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'making-'));
  try {
    const root = join(scratch, 'root');
    const packages = '--include=ca-certificates,libstdc++6';
    await must('debootstrap', ['--variant=minbase', packages, suite, root, mirror]);
    const local = join(root, 'usr', 'local');
    copyFileSync(process.execPath, join(local, 'bin', 'node'));
    chmodSync(join(local, 'bin', 'node'), 0o755);
    const npm = dirname(dirname(realpathSync(which('npm'))));
    cpSync(npm, join(local, 'lib', 'node_modules', 'npm'), { recursive: true, dereference: true });
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'));
    if (existsSync(`/${certificates}`)) copyFileSync(`/${certificates}`, join(root, certificates));
    mkdirSync(join(local, 'etc'), { recursive: true });
    writeFileSync(join(local, 'etc', 'npmrc'), `cafile=/${certificates}\n`);
    rmSync(join(root, 'var', 'cache', 'apt', 'archives'), { recursive: true, force: true });
    await must('tar', ['--create', '--numeric-owner', '--file', join(scratch, 'base.tar'), '--directory', root, '.']);
    renameSync(join(scratch, 'base.tar'), archive);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return archive;
}

/** The innermost first. */
function mountsBelow(folder: string): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const places = mounts.map((line) => line.split(' ')[1] ?? '');
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}

function which(program: string): string {
  return spawnSync('which', [program], { encoding: 'utf8' }).stdout.trim();
}

async function must(program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${program} ${words.join(' ')}: exit code ${String(code)}\n${said.slice(-3_000)}`);
}
