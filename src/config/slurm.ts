/**
 * What Slurm says about a job, as defaults: `srun lockstep worker` needs no flag to find its coordinator and to be found.
 *
 * Anything that a person gives is stronger. https://slurm.schedmd.com/srun.html lists the variables.
 */

import { formatHostPort, isWildcardHost } from '../core/address.js';
import type { Command } from './field.js';
import type { FieldName } from './schema.js';
import type { Given, Layer } from './sources.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The defaults of a program in a Slurm job; none outside of one, and none for `train`, which stays on one machine.
 *
 * A job of one node stays on loopback, as everything does by default; one of several can only work beyond it. The
 * coordinator is expected on the job's first node, at a port that follows from the job's number, so that jobs that share
 * a node do not meet.
 *
 * @param listen - the address to listen on, if a person gave one
 */
export function slurmLayer(command: Command, environment: Environment, listen: string | undefined): Layer {
  const layer = new Map<FieldName, Given>();
  const give = (name: FieldName, value: string, variable: string): void => {
    const quoted = `${value} (from ${variable}=${environment[variable] ?? ''})`;
    layer.set(name, { source: 'environment', value, quoted });
  };
  const job = Number(environment['SLURM_JOB_ID']);
  const nodes = environment['SLURM_JOB_NODELIST'];
  if (!Number.isSafeInteger(job) || job < 1 || !nodes || command === 'train') return layer;

  const isAlone = (environment['SLURM_JOB_NUM_NODES'] ?? '1') === '1';
  if (!isAlone) give('listen', '0.0.0.0', 'SLURM_JOB_NUM_NODES');
  if (command === 'coordinator') give('port', String(portOfJob(job)), 'SLURM_JOB_ID');

  const node = environment['SLURMD_NODENAME'];
  if (command !== 'worker' || !node) return layer;
  const host = isAlone ? '127.0.0.1' : firstNode(nodes);
  give('coordinator', formatHostPort({ host, port: portOfJob(job) }), 'SLURM_JOB_NODELIST');
  give('name', hasNodeToItself(environment) ? node : `${node}-${environment['SLURM_LOCALID'] ?? 0}`, 'SLURMD_NODENAME');
  if (environment['SLURM_CPUS_PER_TASK']) give('threads', environment['SLURM_CPUS_PER_TASK'], 'SLURM_CPUS_PER_TASK');
  if (listen === undefined ? !isAlone : isWildcardHost(listen)) give('advertise', node, 'SLURMD_NODENAME');
  return layer;
}

/** Above the ports of services, below those that Linux gives out by itself (32768 and up). */
function portOfJob(job: number): number {
  return 10_000 + (job % 20_000);
}

/** Of `gpu[003-7,9],login1` the first: `gpu003`. Each bracket counts with its first number. */
export function firstNode(nodeList: string): string {
  const [first = ''] = /^(\[[^\]]*\]|[^,[])+/.exec(nodeList) ?? [];
  return first.replace(/\[(\d+)[^\]]*\]/g, '$1');
}

function hasNodeToItself(environment: Environment): boolean {
  const number = (variable: string): number => Number(environment[variable] ?? 1);
  return number('SLURM_STEP_NUM_TASKS') <= number('SLURM_STEP_NUM_NODES');
}
