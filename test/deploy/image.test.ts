/** The image for real: built from the Dockerfile, started without rights, and told to stop. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { workshop } from '../e2e/lockstep.js';
import { ContainerEngine, whyNoContainers } from './container-engine.js';
import { documented } from './documented.js';
import { manifestsOf, podOf, type Manifest } from './manifests.js';
import { missingTools, needs } from './needs.js';
import { PodNode } from './pods.js';
import { digestHere, stepsIn } from './runs.js';

const place = workshop({ after });
const image = 'lockstep:0.1.0';
interface Report {
  readonly steps: number;
  readonly weightsDigest: string;
}

/** How the page starts a container; the rest of it is different here. */
const [docker = ''] = documented('containers.md', 'train')[0]!.split(image);

describe('the image', needs(whyNoContainers()), () => {
  const engine = new ContainerEngine();
  before(async () => {
    await engine.start();
    for (const command of documented('containers.md', 'build')) await engine.must(command);
  });
  // A test that fails leaves its ports to the others.
  afterEach(() => engine.removeContainers());
  after(() => engine.stop());

  test('it says what it is made of', async () => {
    assert.equal(await engine.inspect(image, '{{.Config.User}}'), '65532:65532');
    const list = await engine.inspect(image, '{{index .Config.Labels "io.lockstep.sbom"}}');
    const sbom = JSON.parse(await engine.must(`${docker} --rm --entrypoint cat ${image} ${list}`)) as {
      readonly components: readonly { readonly name: string; readonly version: string }[];
    };
    const { dependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      readonly dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(dependencies))
      assert.ok(
        sbom.components.some((c) => `${c.name}@${c.version}`.endsWith(`${name}@${version}`)),
        `${name}@${version} is not in the list`,
      );
    const modules = `${docker} --rm --entrypoint ls ${image} /opt/lockstep/node_modules`;
    assert.doesNotMatch(await engine.must(modules), /^(eslint|typescript)$/m, 'what only developers need stays out');
  });

  test('as on the page: it trains, without a right and without writing to its root, to the local digest', async () => {
    const [command = ''] = documented('containers.md', 'train');
    const said = await engine.must(command);
    assert.match(said, /engine native/, 'it has the kernels of prebuilt/: npm run prebuilt');
    const [, ...flags] = command.split(`${image} `)[1]!.split(' ');
    assert.ok(said.includes(await digestHere(place.folder, ...flags)), said);
  });

  test('coordinator and workers each in one: healthy, not root, and SIGTERM ends each cleanly within 10 s', async () => {
    const [coordinator = ''] = documented('containers.md', 'coordinator');
    await engine.must(coordinator);
    const [, TOKEN = ''] = await engine.seen('coordinator', /--token (\S+)/);
    for (const command of documented('containers.md', 'workers', { HOST: '127.0.0.1', TOKEN }))
      await engine.must(command);
    await engine.seen('coordinator', /epoch \d+\S* +step [1-9]/);

    for (const name of ['coordinator', 'worker-1', 'worker-2']) {
      await engine.must(`docker healthcheck run ${name}`);
      assert.equal(await engine.must(`docker exec ${name} id -u`), '65532\n');
      assert.match((await engine.run(`docker exec ${name} touch /opt/x`)).stderr, /Read-only file system/);
    }
    const nobodyThere = 'docker exec --env LOCKSTEP_METRICS_PORT=1 coordinator node /opt/lockstep/deploy/health.mjs';
    assert.equal((await engine.run(nobodyThere)).code, 1, 'the check can fail');

    // `stop` sends SIGTERM and after these seconds SIGKILL, which would show in the exit code.
    await engine.must('docker stop --time 10 worker-2');
    assert.equal(await engine.inspect('worker-2', '{{.State.ExitCode}}'), '0', await engine.logOf('worker-2'));
    await engine.seen('coordinator', /left \(it asked to leave\); going on with 1 worker, no step was lost/);

    await engine.must('docker stop --time 10 coordinator');
    assert.equal(await engine.inspect('coordinator', '{{.State.ExitCode}}'), '130');
    assert.match(await engine.logOf('coordinator'), /interrupted and saved/);
    const folder = await engine.must(`${docker} --rm --entrypoint ls ${image} /data/run`);
    assert.match(folder, /report\.json/);
    assert.doesNotMatch(folder, /lock\./, 'nobody holds the run any more');
    assert.equal((await engine.must('docker wait worker-1')).trim(), '0', await engine.logOf('worker-1'));

    await engine.must(`${docker} --detach --name again ${image} train --resume /data/run --workers 1`);
    await engine.seen('again', /resuming after step [1-9][^]*training/);
  });

  test('the pods of the trial overlay, as a node starts them: the local digest; scaled, the run and its batch are', async () => {
    const manifests = manifestsOf('trial');
    const podsOf = (kind: string) => manifests.find((manifest) => manifest.kind === kind && podOf(manifest))!;
    const node = new PodNode(engine, place.path('node'), { 'lockstep-coordinator': 'coordinator' });
    const run = join(node.claim('lockstep-runs'), 'run');
    const startCoordinator = (maps: readonly Manifest[]) => node.run('coordinator', podsOf('Job'), maps);
    const startWorker = (name: string) => node.run(name, podsOf('Deployment'), manifests);
    node.start();
    try {
      const first = await startCoordinator(manifests);
      const workers = [await startWorker('worker-1'), await startWorker('worker-2')] as const;
      assert.equal(await first.exitCode(), 0, await engine.logOf('coordinator'));
      const { 'run.yaml': text = '' } = manifests.find(({ data }) => data?.['run.yaml'])!.data!;
      writeFileSync(place.path('trial.yaml'), text);
      const local = await digestHere(place.folder, '--config', place.path('trial.yaml'));
      assert.ok((await engine.logOf('coordinator')).includes(local), local);

      // Another run, for which the workers have waited, with a batch that follows their number.
      renameSync(run, `${run}-before`);
      const options = 'workers: 2\nmodel: mlp\nbatch-per-worker: 64\nepochs: 1000\n';
      const following = manifests.map((map) =>
        map.data?.['run.yaml'] ? { ...map, data: { 'run.yaml': options } } : map,
      );
      const second = await startCoordinator(following);
      const batchIsOf = (worldSize: number) =>
        engine.until(`a batch of ${worldSize} workers`, 'coordinator', () => {
          const last = stepsIn(run).at(-1);
          return last?.worldSize === worldSize && last.globalBatchSize === worldSize * 64;
        });
      await batchIsOf(2);
      const third = await startWorker('worker-3');
      await batchIsOf(3);
      for (const pod of [second, ...workers, third]) await pod.assertHealthy();
      assert.equal(await workers[0].end(), 0, await engine.logOf('worker-1'));
      await batchIsOf(2);

      await engine.must('podman kill coordinator');
      const next = await startCoordinator(following);
      await engine.seen('coordinator', /has taken over at step [1-9]/);
      const taken = stepsIn(run).length;
      await engine.until('steps go on', 'coordinator', () => stepsIn(run).length > taken + 20);
      assert.equal(await next.end(), 130, 'interrupted');
      const { steps, weightsDigest } = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as Report;
      const again = ['--replay', run, '--steps', String(steps), '--workers', '1', '--out', place.path('again')];
      assert.equal(
        await digestHere(place.folder, ...again),
        weightsDigest,
        'the sizes of its batches decide, nothing else',
      );
    } finally {
      await engine.removeContainers();
      node.stop();
    }
  });

  const icd = '/usr/lib/chromium/vk_swiftshader_icd.json';
  const gpu = existsSync(icd) ? undefined : `${icd} is not there (Debian: chromium)`;
  test('with Vulkan in it, it trains on a GPU, here one that the processor plays', needs(gpu), async () => {
    const [build = ''] = documented('containers.md', 'vulkan');
    await engine.must(build);
    const driver = `--volume ${dirname(icd)}:${dirname(icd)}:ro --env VK_ICD_FILENAMES=${icd}`;
    const flags = 'train --model mlp --engine webgpu --gpu swiftshader --workers 1 --steps 3';
    const said = await engine.must(`${docker} --rm ${driver} ${build.split(' ').at(-2)!} ${flags}`);
    assert.match(said, /engine webgpu/);
    assert.match(said, /finished +3 steps/);
  });

  test('with TensorFlow in it, it trains, here with that for processors', async () => {
    const [build = ''] = documented('containers.md', 'cuda');
    await engine.must(build.replace('CUDA=1', 'CUDA=1 --build-arg CUDA_WHEEL='));
    const flags = 'train --model mlp --engine tensorflow --workers 1 --steps 3';
    const said = await engine.must(`${docker} --rm ${build.split(' ').at(-2)!} ${flags}`);
    assert.match(said, /engine tensorflow/);
    assert.match(said, /finished +3 steps/);
  });

  const compose = missingTools({ 'podman-compose': 'PyPI', 'nats-server': 'Debian', prometheus: 'Debian' });
  describe('Compose', needs(compose), () => {
    const composeFile = 'deploy/compose/compose.yaml';
    const files = `${composeFile} --file deploy/compose/compose.host.yaml`;
    // No registry is asked: Debian's programs stand for the images.
    before(async () => {
      const text = readFileSync(join(packageRoot, composeFile), 'utf8');
      for (const program of ['nats-server', 'prometheus']) {
        const [, name = ''] = new RegExp(`image: (\\S*/${program.split('-')[0]}:\\S*)`).exec(text)!;
        await engine.imageOf(program, name, `/${program}`);
      }
    });

    test('NATS, a coordinator and two workers train to the local digest', async () => {
      let said = '';
      for (const command of documented('containers.md', 'compose', { [composeFile]: files }))
        said = await engine.must(command);
      assert.match(said, /on 2 workers/);
      const config = join(packageRoot, 'deploy', 'compose', 'run.yaml');
      assert.ok(said.includes(await digestHere(place.folder, '--config', config)), said);
      for (const service of ['coordinator', 'worker-1', 'worker-2'])
        assert.equal(await engine.inspect(`lockstep_${service}_1`, '{{.State.ExitCode}}'), '0', service);
      for (const command of documented('containers.md', 'compose-end', { [composeFile]: files }))
        await engine.must(command);
    });

    test('Prometheus finds every program of the run', async () => {
      // Another run in an empty volume, that goes on until all are found.
      writeFileSync(
        place.path('longer.yaml'),
        'services: { coordinator: { environment: { LOCKSTEP_EPOCHS: 1000 } } }\n',
      );
      const values = { [composeFile]: `${files} --file ${place.path('longer.yaml')}` };
      await engine.must(`docker compose --file ${files} down --volumes`);
      const [start = ''] = documented('containers.md', 'compose', values);
      await engine.must(start);
      for (const command of documented('containers.md', 'prometheus', values)) await engine.must(command);
      const ask = `fetch('http://127.0.0.1:9090/api/v1/targets').then((r) => r.text()).then(console.log, console.log)`;
      const found = async (): Promise<readonly string[]> => {
        const answer = await engine.must(['docker', 'exec', 'lockstep_coordinator_1', 'node', '--eval', ask]);
        return [...answer.matchAll(/"job":"([^"]+)"[^}]*\}[^}]*?"health":"up"/g)].map(([, job]) => job!);
      };
      await engine.until('three targets', 'lockstep_prometheus_1', async () => (await found()).length === 3);
      assert.deepEqual((await found()).toSorted(), ['lockstep-coordinator', 'lockstep-worker', 'lockstep-worker']);
    });
  });
});
