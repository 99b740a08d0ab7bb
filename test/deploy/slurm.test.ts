/** deploy/slurm/ in a real Slurm cluster: nodes are lost and come back, jobs are requeued, and the digest is the local one. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { lastLine, runToEnd, workshop } from '../e2e/lockstep.js';
import { documented } from './documented.js';
import { needs } from './needs.js';
import { SlurmCluster, whyNoSlurm } from './slurm-cluster.js';

const place = workshop({ after });

describe('Slurm', needs(whyNoSlurm()), () => {
  const cluster = new SlurmCluster(['n1', 'n2', 'n3']);
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
  /** Steps that are recorded, the newest last. */
  const stepsOf = (job: string): readonly { step: number; worldSize: number }[] =>
    textOf(folderOf(job), 'metrics.jsonl')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { step: number; worldSize: number; testLoss?: number })
      .filter((line) => line.testLoss === undefined);
  const ended = async (job: string): Promise<void> => {
    await cluster.until(`job ${job} ends`, () => !/RUNNING|PENDING|COMPLETING|REQUEUE/.test(cluster.stateOfJob(job)));
    assert.equal(cluster.stateOfJob(job), 'COMPLETED', logOf(job));
  };
  /** Submits what a page says, word for word, and more flags of the run after it. @returns the job's number */
  const submit = ([command = '']: readonly string[], ...flags: string[]): string =>
    cluster.run(['sbatch', '--parsable', ...command.split(' ').slice(1), ...flags], clone).stdout.trim();
  const train = documented('slurm.md', 'train');
  const assertSameAsLocal = async (job: string, ...flags: string[]): Promise<void> => {
    const [, spec = ''] = train[0]!.split('train.sbatch ');
    const here = ['--workers', '2', '--metrics-port', '0', '--json'];
    const local = await runToEnd(['train', ...spec.split(' '), ...flags, ...here], place.folder);
    assert.equal(local.code, 0, local.stderr);
    const report = JSON.parse(textOf(folderOf(job), 'report.json')) as Record<string, unknown>;
    assert.equal(report['outcome'], 'finished');
    assert.equal(report['weightsDigest'], lastLine(local.stdout)['weightsDigest']);
  };

  test('a node is lost and the run goes on; it comes back as a job that joins', async () => {
    const job = submit(train);
    await cluster.until('the run is under way', () => (stepsOf(job).at(-1)?.step ?? 0) > 20);
    await cluster.loseNode('n3');
    await cluster.until('two workers go on', () => stepsOf(job).at(-1)?.worldSize === 2);
    cluster.run(['scontrol', 'update', 'NodeName=n3', 'State=DOWN', 'Reason=lost']); // as a health check does, and sooner
    cluster.startNode('n3');
    await cluster.until('the node is back', () => {
      const state = cluster.stateOf('n3');
      // It may register between the question and the answer, is idle by itself then, and refuses to be resumed.
      if (state.startsWith('down')) cluster.attempt(['scontrol', 'update', 'NodeName=n3', 'State=RESUME']);
      return state === 'idle';
    });
    const joining = submit(documented('slurm.md', 'join', { JOB: job }));
    await cluster.until('three workers go on', () => stepsOf(job).at(-1)?.worldSize === 3);
    assert.equal(cluster.stateOfJob(job), 'RUNNING');
    await ended(job);
    await ended(joining);
    await assertSameAsLocal(job);
    assert.doesNotMatch(logOf(job) + logOf(joining), /--insecure/, 'all of it was TLS');
  });

  test('a job whose time is over saves and is requeued; one that is cancelled can be taken up again', async () => {
    const shorter = ['--steps', '400'];
    const job = submit(train, ...shorter);
    const lastStep = (): number => stepsOf(job).at(-1)?.step ?? 0;
    await cluster.until('the run is under way', () => lastStep() > 75);
    cluster.run(['scancel', '--signal', 'USR1', '--batch', job]); //  as Slurm itself says two minutes before the end
    await cluster.until('it is requeued', () => cluster.fact(job, 'Restarts') === '1');
    assert.match(logOf(job), /the time of this job is over: requeued/);
    const saved = lastStep();
    await cluster.until('it goes on', () => lastStep() > saved + 50);
    assert.match(logOf(job), /resum/);
    cluster.run(['scancel', job]);
    await cluster.until('it is cancelled', () => /CANCELLED/.test(cluster.stateOfJob(job)));
    const isLocked = (): boolean => readdirSync(folderOf(job)).some((name) => name.startsWith('lock.'));
    await cluster.until('its coordinator has saved', () => !isLocked());

    await ended(submit(documented('slurm.md', 'resume', { JOB: job })));
    await assertSameAsLocal(job, ...shorter);
    assert.deepEqual(
      stepsOf(job).map(({ step }) => step),
      Array.from({ length: 400 }, (_, i) => i + 1),
    );
  });
});
