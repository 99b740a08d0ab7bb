import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

import type { Finished } from '../../../src/engine/libtensorflow/commands.js';
import { complaintIn } from '../../../src/engine/libtensorflow/commands.js';
import { installTensorflow, type InstallNeeds } from '../../../src/engine/libtensorflow/install.js';
import { findInstallations, type Installation } from '../../../src/engine/libtensorflow/installations.js';
import type { ProbeAnswer } from '../../../src/engine/libtensorflow/probe.js';
import { judgeTensorflow } from '../../../src/engine/libtensorflow/status.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-libtensorflow-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function write(file: string, content = ''): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

let rooms = 0;
const room = (): string => join(scratch, String(rooms++));

function writePackage(folder: string, name: string, version = '4.22.0'): void {
  write(join(folder, 'package.json'), JSON.stringify({ name, version }));
}

describe('which TensorFlow there is', () => {
  it('looks for the packages and for what lockstep installed, and says what each lacks', () => {
    const root = room();
    writePackage(join(root, 'node_modules/@tensorflow/tfjs-node-gpu'), '@tensorflow/tfjs-node-gpu', '4.10.0');
    writePackage(join(root, 'node_modules/@tensorflow/tfjs-node'), '@tensorflow/tfjs-node');
    const found = findInstallations({ LOCKSTEP_CACHE_DIR: room() }, root);
    assert.deepEqual(
      found.map((one) => ('reason' in one ? `${one.origin} ${one.reason}` : one.folder)),
      [
        '@tensorflow/tfjs-node-gpu is version 4.10.0, not 4.22.0',
        '@tensorflow/tfjs-node has no binding, lib/napi-v*/tfjs_binding.node: its install script did not run, or failed',
        'lockstep engines install tensorflow was not run',
      ],
    );
  });

  it('takes the newest binding, and of its own installations those for GPUs first', () => {
    const cache = room();
    for (const name of ['tensorflow-1-cpu', 'tensorflow-1-gpu']) {
      const folder = join(cache, 'tensorflow', name);
      writePackage(folder, name.endsWith('gpu') ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node');
      for (const version of [8, 10]) write(join(folder, `lib/napi-v${version}/tfjs_binding.node`));
    }
    write(join(cache, 'tensorflow/.installing-1-x/package.json'));
    const own = findInstallations({ LOCKSTEP_CACHE_DIR: cache }, room()).slice(2) as Installation[];
    assert.deepEqual(
      own.map(({ folder, isForGpu }) => [folder, isForGpu]),
      [
        [join(cache, 'tensorflow/tensorflow-1-gpu'), true],
        [join(cache, 'tensorflow/tensorflow-1-cpu'), false],
      ],
    );
    assert.match(own[0]!.binding, /napi-v10/);
  });

  it('LOCKSTEP_TENSORFLOW switches it off, or names one', () => {
    assert.match(JSON.stringify(findInstallations({ LOCKSTEP_TENSORFLOW: '0' })), /switches it off/);
    const folder = room();
    assert.match(JSON.stringify(findInstallations({ LOCKSTEP_TENSORFLOW: folder })), /there is no package in/);
  });
});

describe('which of them is used', () => {
  const installation = (origin: string): Installation => ({ origin, folder: '', binding: '', isForGpu: true });
  const answers: Readonly<Record<string, ProbeAnswer & { withoutGpu?: string }>> = {
    broken: { reason: 'no libtensorflow: libtensorflow.so.2 was not found where its binding expects it' },
    blind: { version: '2.9.1', isOnGpu: false, withoutGpu: 'no CUDA: Could not find cuda drivers' },
    gpu: { version: '2.21.0', isOnGpu: true },
  };
  const judge = (...origins: string[]) => judgeTensorflow(origins.map(installation), ({ origin }) => answers[origin]!);

  it('the first that computes on a GPU; why others were refused is said', () => {
    const status = judge('broken', 'blind', 'gpu');
    assert.ok(status.available && status.installation.origin === 'gpu');
    assert.equal(
      status.version,
      `TensorFlow 2.21.0 on GPU; not broken: ${'reason' in answers['broken']! ? answers['broken'].reason : ''}`,
    );
  });

  it('else the first that computes, with the reason why not on a GPU', () => {
    const status = judge('blind');
    assert.ok(status.available);
    assert.equal(status.version, 'TensorFlow 2.9.1 on CPU, no CUDA: Could not find cuda drivers');
  });

  it('else none, for all the reasons', () => {
    const missing = { origin: '@tensorflow/tfjs-node', reason: 'is not installed', isMissing: true };
    const status = judgeTensorflow([missing, installation('broken')], () => answers['broken']!);
    assert.ok(!status.available);
    assert.match(status.reason, /^@tensorflow\/tfjs-node is not installed; broken: no libtensorflow/);
    assert.match(status.remedy, /lockstep engines install tensorflow/);
  });
});

describe('lockstep engines install tensorflow', () => {
  const tools = ['c++', 'npm', 'tar', 'python3'];
  const done: Finished = { code: 0, stdout: '', stderr: '' };

  /** Programs that leave what the real ones would. */
  const run: InstallNeeds['run'] = async (program, args) => {
    if (program === 'npm') write(join(args[args.indexOf('--pack-destination') + 1]!, 'archive.tgz'));
    if (program === 'tar') writePackage(args[args.indexOf('-C') + 1]!, '@tensorflow/tfjs-node');
    if (args.includes('download')) write(join(args[args.indexOf('--dest') + 1]!, 'tensorflow.whl'));
    if (args[0] === '-c')
      for (const name of ['cc', 'framework']) write(join(args[3]!, `tensorflow/libtensorflow_${name}.so.2`));
    if (program === 'c++') write(args[args.indexOf('-o') + 1]!);
    return done;
  };

  function machine(changes: Partial<InstallNeeds> & { readonly without?: string } = {}) {
    const bin = room();
    for (const tool of tools.filter((name) => name !== changes.without)) {
      write(join(bin, tool));
      chmodSync(join(bin, tool), 0o755);
    }
    const cache = room();
    const needs: InstallNeeds = {
      run,
      probe: () => ({ version: '2.21.0', isOnGpu: false }),
      environment: { PATH: bin, LOCKSTEP_CACHE_DIR: cache },
      platform: 'linux-x64',
      glibc: '2.36',
      ...changes,
    };
    const steps: string[] = [];
    const install = (from?: string) =>
      installTensorflow({ isForGpu: false, from, progress: (text) => steps.push(text) }, needs);
    return { install, steps, base: join(cache, 'tensorflow') };
  }

  it('makes a folder named by the versions, step by step, and does nothing the second time', async () => {
    const { install, steps, base } = machine();
    const { folder, wasThere, version } = await install();
    assert.deepEqual([folder, wasThere, version], [join(base, 'tensorflow-2.21.0-cpu-tfjs-4.22.0'), false, '2.21.0']);
    assert.ok(existsSync(join(folder, 'lib/napi-v8/tfjs_binding.node')));
    assert.equal(steps.length, 5);
    assert.equal((await install()).wasThere, true);
    assert.equal(steps.length, 5);
    assert.deepEqual(readdirSync(base), ['tensorflow-2.21.0-cpu-tfjs-4.22.0']);
  });

  it('links to an installed wheel, found by either folder', async () => {
    const site = room();
    for (const name of ['cc', 'framework']) write(join(site, `tensorflow/libtensorflow_${name}.so.2`));
    mkdirSync(join(site, 'tensorflow_cpu-2.20.0.dist-info'));
    for (const from of [site, join(site, 'tensorflow')]) {
      const { folder } = await machine({ without: 'python3' }).install(from);
      assert.match(folder, /tensorflow-2\.20\.0-cpu-linked-/);
      assert.ok(existsSync(join(folder, 'site/tensorflow/libtensorflow_cc.so.2')));
    }
  });

  it('removes what an interrupted one left, and not what one that goes on has', async () => {
    const { install, base } = machine();
    const own = `.installing-${process.pid}-mine`;
    for (const name of ['.installing-999999999-lost', own]) mkdirSync(join(base, name), { recursive: true });
    await install();
    assert.deepEqual(
      readdirSync(base).filter((name) => name.startsWith('.')),
      [own],
    );
  });

  it('leaves nothing where what was built does not run, and replaces what no longer runs', async () => {
    const failing = machine({ probe: () => ({ reason: 'an illegal instruction' }) });
    await assert.rejects(failing.install(), { code: 'INSTALL_DOES_NOT_LOAD', message: /illegal instruction/ });
    assert.deepEqual(readdirSync(failing.base), []);
    let tries = 0;
    const mended = machine({
      probe: () => (++tries === 2 ? { reason: 'gone' } : { version: '2.21.0', isOnGpu: false }),
    });
    await mended.install();
    assert.equal((await mended.install()).wasThere, false);
  });

  for (const tool of tools)
    it(`without ${tool}: one line that says what for`, async () => {
      const { install, base } = machine({ without: tool });
      await assert.rejects(install(), {
        code: 'INSTALL_TOOL_MISSING',
        message: new RegExp(`${tool.replaceAll('+', '\\+')}.* was not found, which`),
      });
      assert.ok(!existsSync(base));
    });

  it('without pip', async () => {
    const { install } = machine({
      run: async (program, args, folder) =>
        args.includes('pip')
          ? { ...done, code: 1, stderr: '/usr/bin/python3: No module named pip' }
          : run(program, args, folder),
    });
    await assert.rejects(install(), { code: 'INSTALL_TOOL_MISSING', message: /^pip of python3 was not found/ });
  });

  it('on another platform, or another C library', async () => {
    for (const changes of [{ platform: 'darwin-arm64' }, { glibc: undefined }])
      await assert.rejects(machine(changes).install(), { code: 'INSTALL_PLATFORM' });
  });

  it('offline: what could not be fetched, and the line that tells why', async () => {
    const complaints = {
      npm: 'npm error code ENOTFOUND\nnpm error network request to https://example.org/x failed, reason: getaddrinfo ENOTFOUND\n',
      python3: 'WARNING: Retrying\nERROR: No matching distribution found for tensorflow-cpu==2.21.0\n',
    };
    for (const [fails, stderr] of Object.entries(complaints)) {
      const { install, base } = machine({
        run: async (program, args, folder) =>
          program === fails ? { ...done, code: 1, stderr } : run(program, args, folder),
      });
      await assert.rejects(install(), (error: Error) => {
        assert.match(error.message, /^cannot download (@tensorflow\/tfjs-node@4\.22\.0|tensorflow-cpu==2\.21\.0): \w/);
        assert.match(error.message, /ENOTFOUND$|No matching distribution/);
        return true;
      });
      assert.deepEqual(readdirSync(base), []);
    }
  });

  it('a compiler that fails', async () => {
    const { install } = machine({
      run: async (program, args, folder) =>
        program === 'c++'
          ? { ...done, code: 1, stderr: "In file included from x:\nx.h:1:10: fatal error: 'set' file not found\n" }
          : run(program, args, folder),
    });
    await assert.rejects(install(), { code: 'INSTALL_COMPILE_FAILED', message: /fatal error: 'set' file not found/ });
  });

  it('--from something else', async () => {
    const empty = room();
    mkdirSync(empty);
    const file = join(empty, 'numpy-1.0-py3-none-any.whl');
    write(file);
    for (const [from, reason] of [
      [join(empty, 'nothing'), /no such file/],
      [empty, /has no tensorflow\/libtensorflow_cc/],
      [file, /no wheel of tensorflow/],
    ] as const)
      await assert.rejects(machine().install(from), { code: 'INSTALL_SOURCE_UNUSABLE', message: reason });
  });

  it('finds the telling line among others', () => {
    assert.equal(
      complaintIn('a\nOSError: [Errno 28] No space left on device\n'),
      'OSError: [Errno 28] No space left on device',
    );
    assert.equal(complaintIn('  \nodd\n'), 'odd');
    assert.equal(complaintIn(''), 'it gives no reason');
  });
});
