/** deploy/slurm/ in a real Slurm cluster: nodes are lost and come back, jobs are requeued, and the digest is the local one. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { processesWith, workshop } from '../e2e/lockstep.js';
import { documented } from './documented.js';
import { needs } from './needs.js';
import { digestHere, stepsIn, type RecordedStep } from './runs.js';
import { SlurmCluster, whyNoSlurm } from './slurm-cluster.js';

const place = workshop({ after });

describe('Slurm', needs(whyNoSlurm()), () => {
  const cluster = new SlurmCluster(['n1', 'n2', 'n3'], ['r1']);
  /** A clone, as a user has it, but with a place for results that goes with the test. */
  const clone = place.path('clone');

  before(async () => {
    mkdirSync(clone);
    for (const name of ['bin', 'deploy', 'dist', 'node_modules', 'package.json', 'proto', 'src'])
      symlinkSync(join(packageRoot, name), join(clone, name));
    await cluster.start();
  });
  after(() => cluster.stop());

  const folderOf = (job: string): string => join(clone, 'runs', `slurm-${job}`);
  const textOf = (...path: string[]): string => {
    const file = join(...path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const logOf = (job: string): string => textOf(clone, `lockstep-${job}.log`);
  const stepsOf = (job: string): readonly RecordedStep[] => stepsIn(folderOf(job));
  /** What Slurm has put into a variable of each worker of a job that runs. */
  const variablesOf = (job: string, name: string): readonly string[] =>
    processesWith(
      'node\0bin/lockstep.js\0worker',
      readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)),
    )
      .map((pid) => readFileSync(join('/proc', pid, 'environ'), 'utf8').split('\0'))
      .filter((variables) =>
        [`SLURM_JOB_ID=${job}`, 'SLURM_STEP_ID=0', `PWD=${clone}`].every((v) => variables.includes(v)),
      )
      .flatMap((variables) => variables.find((each) => each.startsWith(`${name}=`))?.split('=')[1] ?? []);
  const ended = async (job: string): Promise<void> => {
    await cluster.until(`job ${job} ends`, () => !/RUNNING|PENDING|COMPLETING|REQUEUE/.test(cluster.stateOfJob(job)));
    assert.equal(cluster.stateOfJob(job), 'COMPLETED', logOf(job));
  };
  /** Cancels a job, and waits until the run in another one's folder is saved. */
  const cancelled = async (job: string, folder: string): Promise<void> => {
    cluster.run(['scancel', job]);
    await cluster.until('it is cancelled', () => /CANCELLED/.test(cluster.stateOfJob(job)));
    const isLocked = (): boolean => readdirSync(folderOf(folder)).some((name) => name.startsWith('lock.'));
    await cluster.until('its coordinator has saved', () => !isLocked());
  };
  /** Submits what a page says, word for word, and more flags of the run after it. @returns the job's number */
  const submit = ([command = '']: readonly string[], ...flags: string[]): string =>
    cluster.run(['sbatch', '--parsable', ...command.split(' ').slice(1), ...flags], clone).stdout.trim();
  const train = documented('slurm.md', 'train');
  const assertSameAsLocal = async (job: string, outcome: string, ...flags: string[]): Promise<void> => {
    const [, spec = ''] = train[0]!.split('train.sbatch ');
    const report = JSON.parse(textOf(folderOf(job), 'report.json')) as Record<string, unknown>;
    assert.equal(report['outcome'], outcome);
    const local = await digestHere(place.folder, ...spec.split(' '), ...flags, '--workers', '2');
    assert.equal(report['weightsDigest'], local);
  };

  test('a node is lost and the run goes on; it comes back as a job that joins', async () => {
    const job = submit(train);
    await cluster.until('the run is under way', () => (stepsOf(job).at(-1)?.step ?? 0) > 20);
    await cluster.loseNode('n3');
    await cluster.until('two workers go on', () => stepsOf(job).at(-1)?.worldSize === 2);
    await cluster.bringBack('n3');
    const joining = submit(documented('slurm.md', 'join', { JOB: job }));
    await cluster.until('three workers go on', () => stepsOf(job).at(-1)?.worldSize === 3);
    assert.equal(cluster.stateOfJob(job), 'RUNNING');
    await ended(job);
    await ended(joining);
    await assertSameAsLocal(job, 'finished');
    assert.doesNotMatch(logOf(job) + logOf(joining), /--insecure/, 'all of it was TLS');
  });

  test('a job whose time is over is requeued, one whose first node was lost goes on, one that is cancelled can be taken up again', async () => {
    const [start = ''] = train;
    // Slurm counts time in minutes, looks every half minute, and may tell a job that much earlier.
    const short = start.replace('--nodes 3', '--nodes 3 --time 1 --signal B:USR1@20');
    const job = submit([short], '--steps', '100000');
    const lastStep = (): number => stepsOf(job).at(-1)?.step ?? 0;
    const resumed = (): readonly number[] =>
      [...logOf(job).matchAll(/resuming after step ([\d,]+)/g)].map(([, step]) => Number(step!.replaceAll(',', '')));
    await cluster.until('it is requeued', () => cluster.fact(job, 'Restarts') === '1');
    assert.match(logOf(job), /the time of this job is over: requeued/);
    cluster.run(['scontrol', 'update', `JobId=${job}`, 'TimeLimit=INFINITE']);
    const newestCheckpoint = (): number =>
      Math.max(0, ...readdirSync(join(folderOf(job), 'checkpoints')).map((file) => Number.parseInt(file, 10)));
    await cluster.until('it goes on', () => newestCheckpoint() > (resumed()[0] ?? Infinity));

    const checkpoint = newestCheckpoint();
    const first = cluster.fact(job, 'BatchHost');
    await cluster.loseNode(first);
    await cluster.bringBack(first);
    for (const command of documented('slurm.md', 'requeue', { JOB: job })) cluster.run(command.split(' '));
    await cluster.until('it goes on from a checkpoint', () => lastStep() > (resumed()[1] ?? Infinity) + 50);
    assert.ok(resumed()[1]! >= checkpoint);

    await cancelled(job, job);
    const steps = lastStep();
    const next = submit(documented('slurm.md', 'resume', { JOB: job }));
    await cluster.until('another job takes it up', () => lastStep() > steps + 50);
    await cancelled(next, job);
    await assertSameAsLocal(job, 'interrupted', '--steps', String(lastStep()));
    assert.deepEqual(
      stepsOf(job).map(({ step }) => step),
      Array.from({ length: lastStep() }, (_, i) => i + 1),
    );
  });

  test('tasks that share a node have a GPU and cores each; a job that joins makes the batch grow', async () => {
    const [more = ''] = documented('slurm.md', 'gpus');
    const job = submit([more.replace('sbatch', 'sbatch --partition roomy').replace('--engine tensorflow ', '')]);
    const batchIsOf = (worldSize: number) =>
      cluster.until(`a batch of ${worldSize} workers`, () => {
        const last = stepsOf(job).at(-1);
        return last?.worldSize === worldSize && last.globalBatchSize === worldSize * 64;
      });
    await batchIsOf(2);
    assert.deepEqual(variablesOf(job, 'CUDA_VISIBLE_DEVICES').toSorted(), ['0', '1'], 'each has a GPU of its own');
    assert.equal(logOf(job).match(/"r1-[01]","msg":"engine .* 4 threads"/g)?.length, 2, 'and cores as it asked for');
    const [join = ''] = documented('slurm.md', 'join', { JOB: job });
    const joining = submit([join.replace('sbatch', 'sbatch --partition roomy')]);
    await batchIsOf(3);
    cluster.run(['scancel', job]);
    await ended(joining);
  });
});
