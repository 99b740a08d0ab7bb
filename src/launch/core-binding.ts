/** Which cores each worker of this machine keeps to. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fault } from './faults.js';

/** A processor as the system numbers it. Several with the same first sibling are threads of one core. */
export interface Processor {
  readonly id: number;
  /** Socket. */
  readonly package: number;
  /** The least id among the threads of its core. */
  readonly firstSibling: number;
}

/**
 * Whole cores for each of so many workers, neighbours first: processors are numbered across sockets and threads in whatever
 * order, and two workers on the two threads of one core would get in each other's way.
 *
 * @returns the ids of each worker's processors; a remainder of cores goes to the first workers
 * @throws LockstepError `CORES_TOO_FEW`
 */
export function divideCores(processors: readonly Processor[], workers: number): readonly (readonly number[])[] {
  const cores = new Map<number, Processor[]>();
  for (const each of processors) cores.set(each.firstSibling, [...(cores.get(each.firstSibling) ?? []), each]);
  const inOrder = [...cores.values()].sort(([a], [b]) => a!.package - b!.package || a!.firstSibling - b!.firstSibling);
  if (workers > inOrder.length) throw fault('CORES_TOO_FEW', { workers, cores: inOrder.length });
  const edge = (i: number): number => i * Math.floor(inOrder.length / workers) + Math.min(i, inOrder.length % workers);
  return Array.from({ length: workers }, (_, i) =>
    inOrder
      .slice(edge(i), edge(i + 1))
      .flat()
      .map(({ id }) => id),
  );
}

/**
 * A command that keeps the one after it to its share of the processors that this process may use.
 *
 * @returns for each worker
 * @throws LockstepError `CORES_TOO_FEW`; `BINDING_UNAVAILABLE` where the system has no way to do it
 */
export function bindings(workers: number): readonly (readonly string[])[] {
  if (process.platform !== 'linux') throw fault('BINDING_UNAVAILABLE', { reason: `this is ${process.platform}` });
  const commands = divideCores(usableProcessors(), workers).map((ids) => ['taskset', '-c', ids.join(',')]);
  const [[program, ...args] = []] = commands;
  try {
    execFileSync(program!, [...args, 'true'], { stdio: 'ignore' });
  } catch {
    throw fault('BINDING_UNAVAILABLE', { reason: 'there is no program taskset here (package util-linux)' });
  }
  return commands;
}

function usableProcessors(): readonly Processor[] {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  return numbersIn(allowed).map((id) => {
    const topology = (name: string): string | undefined => {
      try {
        return readFileSync(`/sys/devices/system/cpu/cpu${id}/topology/${name}`, 'utf8').trim();
      } catch {
        return undefined; //                                          some containers hide it: each is a core of its own then
      }
    };
    const siblings = numbersIn(topology('thread_siblings_list') ?? String(id));
    return { id, package: Number(topology('physical_package_id') ?? 0), firstSibling: Math.min(...siblings) };
  });
}

/** @param list - `0-3,8`, as the kernel writes it */
export function numbersIn(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}
