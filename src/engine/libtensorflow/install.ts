import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { writeFault } from '../../core/atomic-file.js';
import { assemble } from './assemble.js';
import { firstOnPath, runProgram, type Run } from './commands.js';
import { fault } from './faults.js';
import { findInstallations, installationsFolder, ownOrigin, type Installation } from './installations.js';
import { probe, type Probe } from './probe.js';
import { tensorflowSource, type TensorflowSource } from './sources.js';
import { tfjsNodeVersion } from './versions.js';

export interface InstallOptions {
  /** With CUDA. */
  readonly isForGpu: boolean;
  /** A wheel, or the folder of an installed one; undefined: what pip fetches. */
  readonly from: string | undefined;
  /** Told what happens next. */
  readonly progress: (text: string) => void;
}

/** What it needs of the machine; a test hands in another one. */
export interface InstallNeeds {
  readonly run: Run;
  readonly probe: Probe;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: string;
  /** Of the C library, as Node.js reports it; undefined where it is not glibc. */
  readonly glibc: string | undefined;
}

export const thisMachine = (): InstallNeeds => ({
  run: runProgram,
  probe,
  environment: process.env,
  platform: `${process.platform}-${process.arch}`,
  glibc: (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime,
});

export interface Installed {
  readonly folder: string;
  /** Of libtensorflow. */
  readonly version: string;
  readonly isOnGpu: boolean;
  /** Why it computes on the processor though it was made for CUDA. */
  readonly withoutGpu: string | undefined;
  /** Whether it was there before. */
  readonly wasThere: boolean;
}

/** Those for which there are wheels that hold libtensorflow where the binding looks for it. */
const platforms = ['linux-x64', 'linux-arm64'];

/**
 * Makes an installation of tfjs-node against the libtensorflow of a Python wheel, in a folder of its own that is named by the
 * versions. It appears whole, after it has computed something; an interrupted one leaves a folder that the next one removes.
 *
 * @throws LockstepError `INSTALL_...`, `NOT_WRITABLE`, `DISK_FULL`
 */
export async function installTensorflow(options: InstallOptions, needs: InstallNeeds): Promise<Installed> {
  const { isForGpu, from, progress } = options;
  const { platform, glibc } = needs;
  if (!platforms.includes(platform) || glibc === undefined) {
    const kind = platforms.includes(platform) ? `${platform} without glibc` : platform;
    throw fault('INSTALL_PLATFORM', {
      platform: kind,
      wanted: `its wheels hold libtensorflow on ${platforms.join(', ')}`,
    });
  }
  const source = tensorflowSource(from, isForGpu);
  const base = installationsFolder(needs.environment);
  const folder = join(base, nameOf(source, isForGpu));
  const there = existsSync(folder) ? tryOut(folder, needs) : undefined;
  if (there && !('reason' in there)) return { folder, ...there, wasThere: true };

  const tools = findTools(source, needs.environment['PATH']);
  const scratch = makeScratch(base);
  try {
    await assemble(join(scratch, 'package'), { source, isForGpu, tools, run: needs.run, scratch, progress });
    progress('trying it');
    const built = tryOut(join(scratch, 'package'), needs);
    if ('reason' in built) throw fault('INSTALL_DOES_NOT_LOAD', built);
    rmSync(folder, { recursive: true, force: true }); //             one that does not load
    renameSync(join(scratch, 'package'), folder);
    return { folder, ...built, wasThere: false };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** By what it is made of, so that another version never meets an old one. */
function nameOf({ version, kind }: TensorflowSource, isForGpu: boolean): string {
  const flavour = `${isForGpu ? 'gpu' : 'cpu'}${kind === 'installed' ? '-linked' : ''}`;
  return `tensorflow-${version}-${flavour}-tfjs-${tfjsNodeVersion}`;
}

function tryOut(folder: string, needs: InstallNeeds) {
  const [found] = findInstallations({ LOCKSTEP_TENSORFLOW: folder });
  if (!found || 'reason' in found) return { reason: found?.reason ?? 'nothing is there' };
  const answer = needs.probe({ ...found, origin: ownOrigin } satisfies Installation);
  return 'reason' in answer ? answer : { ...answer, withoutGpu: answer.withoutGpu };
}

export interface Tools {
  readonly compiler: string;
  readonly npm: string;
  readonly tar: string;
  /** Undefined where no wheel has to be fetched or unpacked. */
  readonly python: string | undefined;
}

function findTools(source: TensorflowSource, path: string | undefined): Tools {
  const demand = (names: readonly string[], purpose: string): string => {
    const found = firstOnPath(names, path);
    if (found === undefined) throw fault('INSTALL_TOOL_MISSING', { tool: names.join(' or '), purpose });
    return found;
  };
  return {
    compiler: demand(['c++', 'g++', 'clang++'], 'compiles the binding'),
    npm: demand(['npm'], 'fetches the kernels of @tensorflow/tfjs-node'),
    tar: demand(['tar'], 'unpacks what npm fetches'),
    python: source.kind === 'installed' ? undefined : demand(['python3', 'python'], 'fetches and unpacks the wheel'),
  };
}

/** A folder beside the installations, named by our process, after those of processes that are gone are removed. */
function makeScratch(base: string): string {
  try {
    mkdirSync(base, { recursive: true });
    for (const name of readdirSync(base)) {
      const owner = /^\.installing-(\d+)-/.exec(name)?.[1];
      if (owner !== undefined && !isRunning(Number(owner))) rmSync(join(base, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(base, `.installing-${process.pid}-`));
  } catch (error) {
    throw writeFault(base, error);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
