/** The image for real: built from the Dockerfile, started without rights, and told to stop. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/core/paths.js';
import { lastLine, runToEnd, workshop } from '../e2e/lockstep.js';
import { ContainerEngine, whyNoContainers } from './container-engine.js';
import { documented } from './documented.js';
import { missingTools, needs } from './needs.js';

const place = workshop({ after });
const image = 'lockstep:0.1.0';
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

  const logOf = async (container: string): Promise<string> => {
    const { stdout, stderr } = await engine.run(`docker logs ${container}`);
    return stdout + stderr;
  };
  const seen = async (container: string, pattern: RegExp): Promise<RegExpExecArray> => {
    for (let i = 0; ; i++) {
      const log = await logOf(container);
      const found = pattern.exec(log);
      if (found) return found;
      const state = (await engine.must(`docker inspect --format {{.State.Status}} ${container}`)).trim();
      if (state !== 'running' || i > 300)
        throw new Error(`in vain: ${String(pattern)}, ${container} is ${state}\n${log}`);
      await delay(200);
    }
  };
  const inspect = async (what: string, format: string): Promise<string> =>
    (await engine.must(['docker', 'inspect', '--format', format, what])).trim();

  test('it says what it is made of', async () => {
    assert.equal(await inspect(image, '{{.Config.User}}'), '65532:65532');
    const list = await inspect(image, '{{index .Config.Labels "io.lockstep.sbom"}}');
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
    const flags = command.split(`${image} `)[1]!.split(' ');
    const local = await runToEnd([...flags, '--json', '--metrics-port', '0'], place.folder);
    assert.ok(said.includes(lastLine(local.stdout)['weightsDigest'] as string), said);
  });

  test('coordinator and workers each in one: healthy, not root, and SIGTERM ends each cleanly within 10 s', async () => {
    const [coordinator = ''] = documented('containers.md', 'coordinator');
    await engine.must(coordinator);
    const [, TOKEN = ''] = await seen('coordinator', /--token (\S+)/);
    for (const command of documented('containers.md', 'workers', { HOST: '127.0.0.1', TOKEN }))
      await engine.must(command);
    await seen('coordinator', /epoch \d+\S* +step [1-9]/);

    for (const name of ['coordinator', 'worker-1', 'worker-2']) {
      await engine.must(`docker healthcheck run ${name}`);
      assert.equal(await engine.must(`docker exec ${name} id -u`), '65532\n');
      assert.match((await engine.run(`docker exec ${name} touch /opt/x`)).stderr, /Read-only file system/);
    }
    const nobodyThere = 'docker exec --env LOCKSTEP_METRICS_PORT=1 coordinator node /opt/lockstep/deploy/health.mjs';
    assert.equal((await engine.run(nobodyThere)).code, 1, 'the check can fail');

    // `stop` sends SIGTERM and after these seconds SIGKILL, which would show in the exit code.
    await engine.must('docker stop --time 10 worker-2');
    assert.equal(await inspect('worker-2', '{{.State.ExitCode}}'), '0', await logOf('worker-2'));
    await seen('coordinator', /left \(it asked to leave\); going on with 1 worker, no step was lost/);

    await engine.must('docker stop --time 10 coordinator');
    assert.equal(await inspect('coordinator', '{{.State.ExitCode}}'), '130');
    assert.match(await logOf('coordinator'), /interrupted and saved/);
    const folder = await engine.must(`${docker} --rm --entrypoint ls ${image} /data/run`);
    assert.match(folder, /report\.json/);
    assert.doesNotMatch(folder, /lock\./, 'nobody holds the run any more');
    assert.equal((await engine.must('docker wait worker-1')).trim(), '0', await logOf('worker-1'));

    await engine.must(`${docker} --detach --name again ${image} train --resume /data/run --workers 1`);
    await seen('again', /resuming after step [1-9][^]*training/);
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

  const compose = missingTools({ 'podman-compose': 'PyPI', 'nats-server': 'Debian' });
  test('Compose: NATS, a coordinator and two workers train to the local digest', needs(compose), async () => {
    const composeFile = 'deploy/compose/compose.yaml';
    const values = { [composeFile]: `${composeFile} --file deploy/compose/compose.host.yaml` };
    // No registry is asked: Debian's server stands for the image.
    const nats = /image: (\S*nats\S*)/.exec(readFileSync(join(packageRoot, composeFile), 'utf8'))![1]!;
    await engine.imageOf('nats-server', nats);
    let said = '';
    for (const command of documented('containers.md', 'compose', values)) said = await engine.must(command);
    assert.match(said, /on 2 workers/);
    const config = ['--config', 'deploy/compose/run.yaml', '--json', '--metrics-port', '0'];
    const local = await runToEnd(
      ['train', ...config.map((word) => word.replace(/^deploy/, `${packageRoot}/deploy`))],
      place.folder,
    );
    assert.ok(said.includes(lastLine(local.stdout)['weightsDigest'] as string), said + local.stderr);
    for (const service of ['coordinator', 'worker-1', 'worker-2'])
      assert.equal(await inspect(`lockstep_${service}_1`, '{{.State.ExitCode}}'), '0', service);
    for (const command of documented('containers.md', 'compose-end', values)) await engine.must(command);
  });
});
