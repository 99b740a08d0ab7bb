import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { packageRoot } from '../../../src/core/paths.js';
import { chooseEngine } from '../../../src/engine/choose-engine.js';
import { loadWasmKernels, type Kernels } from '../../../src/engine/kernels.js';
import { answerOf, knownAnswer } from '../../../src/engine/known-answer.js';
import { buildModelSpec } from '../../../src/engine/models/index.js';
import {
  bindNative,
  findNative,
  compileCommand,
  inspectNative,
  judgeNative,
  nativeStatus,
  type NativeStatus,
} from '../../../src/engine/native-kernels.js';
import { compilePlan } from '../../../src/engine/plan/plan.js';
import { layoutOfTopology, readTopology } from '../../../src/engine/topology.js';
import { cornerNames, modelNamed, nativeAddon, skippedWithoutNative, someWeights, writeSamples } from './support.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-native-'));
after(() => rmSync(scratch, { recursive: true }));
const skip = skippedWithoutNative();
const { addon, file: nativeAddonFile = '' } = nativeAddon() ?? {};
const m = 3;

/** A whole gradient in an arena of its own. */
async function gradient(model: string, load: (arena: ReturnType<typeof createArena>) => Kernels | Promise<Kernels>) {
  const arena = createArena();
  const kernels = await load(arena);
  const topology = readTopology(modelNamed(model));
  const layout = layoutOfTopology(topology);
  const plan = compilePlan(topology, m, arena, kernels.lane_count());
  writeSamples(plan);
  const [weights, sums] = [someWeights(layout, arena), arena.float32(layout.parameterCount + layout.extraCount)];
  for (const { address, length } of [plan.packing, plan.gradient])
    kernels.run_program(0, address, length, m, weights.byteOffset, sums.byteOffset);
  return sums.slice();
}

describe('known answer', () => {
  it('is what WebAssembly gives', async () => {
    const arena = createArena();
    assert.equal(answerOf(await loadWasmKernels(arena), arena), knownAnswer);
  });
});

describe('native kernels', { skip }, () => {
  for (const [i, variant] of (addon?.variants ?? []).entries()) {
    it(`${variant}: the known answer, and the bits of WebAssembly for every model`, async () => {
      const arena = createArena();
      assert.equal(answerOf(bindNative(addon!, arena, i), arena), knownAnswer);
      for (const model of ['lenet5', 'lenet', 'fast', ...cornerNames]) {
        const native = await gradient(model, (own) => bindNative(addon!, own, i));
        assert.ok(native.some((value) => value !== 0));
        assert.deepEqual(native, await gradient(model, loadWasmKernels), model);
      }
    });
  }

  it('work in place on a memory that grew after they were bound', () => {
    const arena = createArena();
    const kernels = bindNative(addon!, arena);
    const [target, source] = [arena.float32(5_000_000), arena.float32(5_000_000)];
    target.fill(1);
    source.fill(2);
    kernels.add(0, target.byteOffset, source.byteOffset, target.length);
    assert.deepEqual([target[0], target.at(-1)], [3, 3]);
  });

  it('refuse what are no numbers, and a variant that is not there', () => {
    const arena = createArena();
    const kernels = bindNative(addon!, arena);
    assert.throws(() => kernels.add(0, 64, 64, 'x' as unknown as number), /take numbers/);
    assert.throws(() => (kernels.run_program as (memory: 0) => void)(0), /take numbers/);
    assert.throws(() => bindNative(addon!, arena, addon!.variants.length), /bind takes/);
    assert.throws(() => addon!.bind({} as Uint8Array, 0), /bind takes/);
  });

  it('are chosen by auto, and give way to wasm when their bits are others', () => {
    assert.deepEqual(judgeNative(addon!, knownAnswer), { available: true, addon, variant: addon!.variants[0] });
    const refused = judgeNative(addon!, 'another digest');
    assert.match(refused.available ? '' : refused.reason, /refused, since its bits differ/);
  });
});

describe('the addon', () => {
  it('is not used when it is switched off, missing or no addon', () => {
    const text = join(scratch, 'text.node');
    writeFileSync(text, 'no addon');
    for (const [file, wanted, reason] of [
      [nativeAddonFile, '0', /LOCKSTEP_NATIVE=0/],
      [join(scratch, 'missing.node'), undefined, /not compiled/],
      [text, '', /does not load/],
    ] as const) {
      const status = inspectNative(file, wanted);
      assert.match(status.available ? '' : status.reason, reason);
    }
  });

  it('is provided by a command that can be typed as it stands', () => {
    const on = (platform: NodeJS.Platform, ...there: string[]) =>
      compileCommand(platform, (path) => there.includes(path));
    assert.equal(on('linux', '/usr/bin/apt-get'), 'apt-get install -y gcc libc6-dev && npm run build');
    assert.equal(on('linux', '/sbin/apk'), 'apk add gcc musl-dev && npm run build');
    assert.equal(on('darwin'), 'xcode-select --install && npm run build');
    assert.match(on('win32', '/usr/bin/apt-get'), /^install clang or gcc/);
  });

  it('is the first that can be used, and its refusal the first one', { skip }, () => {
    const text = { file: join(scratch, 'broken.node'), origin: 'broken' };
    writeFileSync(text.file, 'no addon');
    const [good, missing] = [
      { file: nativeAddonFile, origin: 'good' },
      { file: join(scratch, 'missing'), origin: '' },
    ];
    const reasonOf = (status: NativeStatus): string => (status.available ? status.variant : status.reason);
    assert.match(reasonOf(findNative([text, good, missing], undefined)), /, good$/);
    assert.match(reasonOf(findNative([missing, text], undefined)), /does not load/);
    assert.match(reasonOf(findNative([missing, missing], undefined)), /not compiled/);
    assert.match(reasonOf(findNative([good, missing], '0')), /LOCKSTEP_NATIVE=0/);
  });

  it('is what auto takes where it can be had, and wasm is otherwise, with the reason', () => {
    const { engine, reason } = chooseEngine('auto', buildModelSpec('mlp'));
    const status = nativeStatus();
    assert.equal(engine, status.available ? 'native' : 'wasm');
    assert.ok(reason.endsWith(status.available ? status.variant : status.reason), reason);
  });

  const headers = join(process.execPath, '../../include/node/node_api.h');
  const cannotCompare = existsSync(headers) ? skip : 'SKIPPED: this Node came without its headers';
  it("declares Node-API in Node's own words", { skip: cannotCompare }, () => {
    const program = (ours: string): string => {
      const file = join(scratch, 'both.c');
      writeFileSync(
        file,
        `#define NAPI_VERSION 6\n#include <node_api.h>\n#define LOCKSTEP_COMPARE_NODE_API\n#include "node-api.h"\n${ours}`,
      );
      return file;
    };
    const folder = join(packageRoot, 'src/engine/kernels/native');
    const compile = (file: string): Buffer =>
      execFileSync('cc', ['-std=c11', '-fsyntax-only', `-I${join(headers, '..')}`, `-I${folder}`, file], {
        stdio: 'pipe',
      });
    compile(program(''));
    assert.throws(
      () => compile(program('napi_status napi_create_object(napi_env env, int *result);')),
      /conflicting types/,
    );
  });
});
