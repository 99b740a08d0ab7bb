import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';

import { createArena } from '../../src/core/arena.js';
import { packageRoot } from '../../src/core/paths.js';
import { loadWasmKernels } from '../../src/engine/kernels.js';
import { instructions } from '../../src/engine/plan/instructions.js';
import { compilePlan } from '../../src/engine/plan/plan.js';
import { layoutOfTopology, readTopology } from '../../src/engine/topology.js';
import { cornerNames, modelNamed, someWeights, writeSamples } from '../unit/engine/support.js';

const folder = join(packageRoot, 'src/engine/kernels');
const scratch = mkdtempSync(join(tmpdir(), 'lockstep-kernels-'));
after(() => rmSync(scratch, { recursive: true }));

interface BuildScript {
  readonly sources: readonly string[];
  readonly commonFlags: readonly string[];
  buildWasm(out: string): void;
}

/** Without the compiler a user's suite goes on, loudly; in CI it must be there. */
function skippedWithout(compiler: string, version: RegExp): string | false {
  let found = 'none';
  try {
    found = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0]!;
    if (version.test(found)) return false;
  } catch {
    // not installed
  }
  const wanted = version.source === '.' ? compiler : version.source.replace('\\.', '');
  const reason = `SKIPPED: this needs ${wanted}, found ${found}`;
  if (process.env['CI']) throw new Error(reason);
  return reason;
}

const build = (await import(pathToFileURL(join(folder, 'build.mjs')).href)) as BuildScript;

describe('kernels.wasm', () => {
  it('is what its sources give, byte for byte', { skip: skippedWithout('clang', /clang version 14\./) }, () => {
    const built = join(scratch, 'kernels.wasm');
    build.buildWasm(built);
    assert.ok(
      readFileSync(built).equals(readFileSync(join(folder, 'kernels.wasm'))),
      'run node src/engine/kernels/build.mjs',
    );
  });
});

describe('instructions', () => {
  it('have the operands of kernels/program.h, in the same order', () => {
    const header = readFileSync(join(folder, 'program.h'), 'utf8').replace(/\/\/.*|\\\n/g, '');
    const structs = new Map(
      [...header.matchAll(/typedef struct \{([^}]*)\} (\w+);/g)].map(([, body, name]) => [
        name!,
        body!
          .split(/[;,]/)
          .flatMap((field) => field.trim().split(/\s+/).slice(-1))
          .filter((field) => field !== ''),
      ]),
    );
    const opcodes = [.../#define INSTRUCTIONS\(X\)((?:\s+X\(\w+\))+)/.exec(header)![1]!.matchAll(/\w+(?=\))/g)].map(
      ([name]) => name,
    );
    assert.deepEqual(Object.keys(instructions), opcodes);
    for (const [name, fields] of Object.entries(instructions)) assert.deepEqual([...fields], structs.get(name), name);
  });
});

describe('a whole gradient has the same bits', () => {
  const models = ['lenet5', 'lenet', 'fast', ...cornerNames];
  const everyPair = ['gcc', 'clang'].flatMap((compiler) => [4, 8, 16].map((lanes) => [compiler, lanes] as const));
  const somePairs = [
    ['clang', 8],
    ['gcc', 16],
  ] as const; // a compilation takes seconds
  for (const [compiler, lanes] of process.env['CI'] ? everyPair : somePairs) {
    it(`in wasm and from ${compiler} with vectors of ${lanes}`, { skip: skippedWithout(compiler, /./) }, async () => {
      const program = join(scratch, `run-image-${compiler}-${lanes}`);
      const flags = [...build.commonFlags, '-Wno-psabi', `-DLANES=${lanes}`, '-o', program]; // no -m: wide vectors in narrow registers
      execFileSync(compiler, [...flags, ...build.sources, join(folder, 'run-image.c')]);
      for (const model of models)
        assert.deepEqual(nativeGradient(program, model, lanes), await wasmGradient(model), model);
    });
  }
});

const m = 3;

/** Compiles a plan in a fresh arena and fills in samples and weights, the same ones whatever `lanes` is. */
function prepare(model: string, lanes: number) {
  const arena = createArena();
  const topology = readTopology(modelNamed(model));
  const layout = layoutOfTopology(topology);
  const plan = compilePlan(topology, m, arena, lanes);
  writeSamples(plan);
  return {
    arena,
    plan,
    weights: someWeights(layout, arena),
    sums: arena.float32(layout.parameterCount + layout.extraCount),
  };
}

const wasmGradients = new Map<string, Float32Array>();

async function wasmGradient(model: string): Promise<Float32Array> {
  const known = wasmGradients.get(model);
  if (known) return known;
  const { arena, plan, weights, sums } = prepare(model, 4);
  const kernels = await loadWasmKernels(arena);
  assert.equal(kernels.lane_count(), 4);
  for (const { address, length } of [plan.packing, plan.gradient]) {
    kernels.run_program(0, address, length, m, weights.byteOffset, sums.byteOffset);
  }
  assert.ok(sums.every(Number.isFinite) && sums.some((value) => value !== 0));
  wasmGradients.set(model, sums.slice());
  return sums.slice();
}

function nativeGradient(program: string, model: string, lanes: number): Float32Array {
  const { arena, plan, weights, sums } = prepare(model, lanes);
  const { packing, gradient } = plan;
  const head = [
    packing.address,
    packing.length,
    gradient.address,
    gradient.length,
    m,
    weights.byteOffset,
    sums.byteOffset,
    sums.length,
  ];
  const image = join(scratch, 'image');
  const result = join(scratch, 'result');
  writeFileSync(image, Buffer.concat([Buffer.from(Uint32Array.from(head).buffer), new Uint8Array(arena.buffer)]));
  execFileSync(program, [image, result]);
  return new Float32Array(Uint8Array.from(readFileSync(result)).buffer);
}
