import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { adaptersNamedIn, chooseAdapter, type Adapter } from '../../../src/engine/webgpu/adapters.js';
import { placeOnGpus } from '../../../src/engine/webgpu/placement.js';
import { whatVulkanLacks, type Machine } from '../../../src/engine/webgpu/vulkan.js';

const card: Adapter = {
  index: 0,
  name: 'NVIDIA H100 80GB HBM3',
  backend: 'vulkan',
  driver: '550.54',
  vendor: 'nvidia',
  architecture: 'hopper',
  isSoftware: false,
  isHidden: false,
};
const software: Adapter = { ...card, index: 1, name: 'SwiftShader Device (Subzero)', driver: '', isSoftware: true };

describe('chooseAdapter', () => {
  it('takes the first GPU that is none in software, or the one that is named', () => {
    const other = { ...card, index: 2, name: 'AMD Radeon' };
    const all = [{ ...software, index: 0 }, { ...card, index: 1 }, other];
    assert.equal(chooseAdapter('auto', all).index, 1);
    assert.equal(chooseAdapter('2', all), other);
    assert.equal(chooseAdapter('radeon', all), other);
    assert.equal(chooseAdapter('swiftshader', all).index, 0);
  });

  it('refuses software that was not asked for, and says what to ask for', () => {
    assert.throws(() => chooseAdapter('auto', [software]), {
      code: 'GPU_IS_SOFTWARE',
      message: /SwiftShader Device/,
      remedy: /--gpu swiftshader/,
    });
  });

  it('names what there is instead of an index or a name that there is not', () => {
    for (const gpu of ['7', 'voodoo'])
      assert.throws(() => chooseAdapter(gpu, [card, software]), {
        code: 'GPU_UNKNOWN',
        exitCode: 2,
        message: `--gpu ${gpu} names no GPU of this machine; there is 0: NVIDIA H100 80GB HBM3 (550.54), 1: SwiftShader Device (Subzero)`,
      });
  });

  it('does not open the first of two GPUs with one name in place of the second', () => {
    const twins = [card, { ...card, index: 1, isHidden: true }];
    assert.equal(chooseAdapter('h100', twins).index, 0);
    assert.throws(() => chooseAdapter('1', twins), { code: 'GPU_HIDDEN', message: /GPU 1 .* H100/ });
  });
});

describe('placeOnGpus', () => {
  const amd: Adapter = { ...card, index: 2, name: 'AMD Radeon' };
  const hidden: Adapter = { ...card, index: 3, isHidden: true };
  const all = [card, software, amd, hidden];

  it('gives each GPU a worker, and none to software or to what cannot be opened', () => {
    assert.deepEqual(placeOnGpus('auto', 'auto', all), ['0', '2']);
    assert.deepEqual(placeOnGpus('auto', 'auto', [card]), ['0']);
  });

  it('deals the GPUs out to more workers, or to fewer', () => {
    assert.deepEqual(placeOnGpus(5, 'auto', all), ['0', '2', '0', '2', '0']);
    assert.deepEqual(placeOnGpus(1, 'auto', all), ['0']);
  });

  it('puts all workers on the GPU that is named', () => {
    assert.deepEqual(placeOnGpus('auto', 'radeon', all), ['2']);
    assert.deepEqual(placeOnGpus(3, 'swiftshader', all), ['1', '1', '1']);
    assert.throws(() => placeOnGpus('auto', 'auto', [software]), { code: 'GPU_IS_SOFTWARE' });
  });
});

describe('adaptersNamedIn', () => {
  it('reads the list that Dawn gives, without the backends that are of no use', () => {
    const answer = `Error: no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3'
 * backend: 'opengles', name: 'NVIDIA H100 80GB HBM3'
 * backend: 'vulkan', name: 'Bob's card'`;
    assert.deepEqual(adaptersNamedIn(answer), [
      { backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3' },
      { backend: 'vulkan', name: "Bob's card" },
    ]);
    assert.deepEqual(adaptersNamedIn(''), []);
  });
});

describe('whatVulkanLacks', () => {
  const files: Readonly<Record<string, string>> = {
    '/etc/ld.so.cache': 'libutil.so.1\0libvulkan.so.1\0/usr/lib/libvulkan.so.1\0',
    '/usr/share/vulkan/icd.d/nvidia_icd.json': '{}',
  };
  const machine = (change: Readonly<Record<string, string | undefined>> = {}, environment = {}): Machine => {
    const all = { ...files, ...change };
    const there = Object.keys(all).filter((path) => all[path] !== undefined);
    return {
      platform: 'linux',
      environment,
      exists: (path) => there.includes(path),
      list: (folder) => there.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.split('/').at(-1)!),
      read: (path) => all[path] ?? '',
    };
  };
  const noDriver = { '/usr/share/vulkan/icd.d/nvidia_icd.json': undefined };

  it('lacks nothing where a loader and a driver are', () => {
    assert.equal(whatVulkanLacks(machine()), undefined);
    assert.equal(
      whatVulkanLacks({ ...machine({ '/etc/ld.so.cache': '', ...noDriver }), platform: 'darwin' }),
      undefined,
    );
  });

  it('lacks the loader, which may also lie where the linker is told to look', () => {
    const missing = { '/etc/ld.so.cache': 'libutil.so.1' };
    const lack = { code: 'VULKAN_LOADER_MISSING', remedy: /apt-get install libvulkan1/ };
    assert.throws(() => demand(machine(missing)), lack);
    assert.throws(() => demand(machine(missing, { LD_LIBRARY_PATH: '/opt/lib' })), lack);
    const told = { ...missing, '/opt/lib/libvulkan.so.1': '' };
    assert.equal(whatVulkanLacks(machine(told, { LD_LIBRARY_PATH: '/opt/lib' })), undefined);
  });

  it('lacks a driver, and says where it would be', () => {
    assert.throws(() => demand(machine(noDriver)), {
      code: 'VULKAN_DRIVER_MISSING',
      message: /\/usr\/share\/vulkan\/icd\.d/,
      remedy: /mesa-vulkan-drivers/,
    });
    const elsewhere = { VK_ICD_FILENAMES: '/none/such.json' };
    assert.throws(() => demand(machine({}, elsewhere)), { message: /in \/none\/such\.json$/ });
  });

  function demand(given: Machine): void {
    const lack = whatVulkanLacks(given);
    if (lack) throw lack;
  }
});
