import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/index.js';
import { firstNode } from '../../../src/config/slurm.js';

/** What `srun` gave to a task of the second node. */
const task = {
  SLURM_JOB_ID: '4711',
  SLURM_JOB_NODELIST: 'gpu[003-004,9]',
  SLURM_JOB_NUM_NODES: '3',
  SLURM_STEP_NUM_NODES: '3',
  SLURM_STEP_NUM_TASKS: '3',
  SLURMD_NODENAME: 'gpu004',
  SLURM_LOCALID: '0',
};

const none = { flags: new Map() };
const worker = (environment: Record<string, string>) => loadConfig('worker', { ...none, environment }).config;

describe('a worker that srun started', () => {
  test('finds the coordinator on the first node and can be found', () => {
    const { coordinator, listen, advertise, name } = worker(task);
    assert.deepEqual(coordinator, [{ host: 'gpu003', port: 14_711 }]);
    assert.deepEqual({ listen, advertise, name }, { listen: '0.0.0.0', advertise: 'gpu004', name: 'gpu004' });
    const port = loadConfig('coordinator', { ...none, environment: task }).config.port;
    assert.equal(port, coordinator[0]?.port, 'the coordinator listens where workers look for it');
  });

  test('has a name of its own where tasks share a node', () => {
    assert.equal(worker({ ...task, SLURM_STEP_NUM_TASKS: '12', SLURM_LOCALID: '3' }).name, 'gpu004-3');
  });

  test('has a thread for each core of its task, if the job says how many these are', () => {
    assert.equal(worker(task).threads, 1);
    assert.equal(worker({ ...task, SLURM_CPUS_PER_TASK: '8' }).threads, 8);
    assert.equal(worker({ ...task, SLURM_CPUS_PER_TASK: '8', LOCKSTEP_THREADS: '2' }).threads, 2);
  });

  test('stays on loopback in a job of one node, unless it is told to listen', () => {
    const alone = { ...task, SLURM_JOB_NODELIST: 'gpu004', SLURM_JOB_NUM_NODES: '1' };
    const { coordinator, listen, advertise } = worker(alone);
    assert.deepEqual(
      { host: coordinator?.[0]?.host, listen, advertise },
      {
        host: '127.0.0.1',
        listen: '127.0.0.1',
        advertise: undefined,
      },
    );
    assert.equal(worker({ ...alone, LOCKSTEP_LISTEN: '0.0.0.0' }).advertise, 'gpu004');
  });

  test('does as a person says', () => {
    const given = { LOCKSTEP_COORDINATOR: 'login:7070', LOCKSTEP_LISTEN: '10.0.0.4', LOCKSTEP_NAME: 'anna' };
    const { coordinator, listen, advertise, name } = worker({ ...task, ...given });
    assert.deepEqual({ listen, advertise, name }, { listen: '10.0.0.4', advertise: undefined, name: 'anna' });
    assert.equal(coordinator?.[0]?.host, 'login');
  });
});

test('a cluster on one machine is the same inside of a job', () => {
  assert.equal(loadConfig('train', { ...none, environment: task }).config.listen, '127.0.0.1');
});

test('the first node of a list', () => {
  const lists = { n1: 'n1', 'n1,n2': 'n1', 'n[08-11]': 'n08', 'a[3,5-7]b[2-4],c': 'a3b2', 'x,n[1-2]': 'x' };
  for (const [list, first] of Object.entries(lists)) assert.equal(firstNode(list), first, list);
});
