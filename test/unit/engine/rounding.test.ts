import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { createArena } from '../../../src/core/arena.js';
import { packageRoot } from '../../../src/core/paths.js';
import { bindNative, nativeStatus } from '../../../src/engine/native-kernels.js';
import { skippedWithoutNative } from './support.js';

/** float-mode.c */
interface FloatMode {
  setOddMode(): void;
  /** 1 if the odd mode is still there. */
  restoreMode(): 0 | 1;
}

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-rounding-'));
after(() => rmSync(scratch, { recursive: true }));

function buildFloatMode(): FloatMode | undefined {
  const file = join(scratch, 'float-mode.node');
  const include = join(packageRoot, 'src/engine/kernels/native');
  const linking = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  const words = ['-std=c11', '-shared', '-fPIC', ...linking, `-I${include}`, '-o', file];
  const { status } = spawnSync('cc', [...words, join(packageRoot, 'test/unit/engine/float-mode.c')]);
  return status === 0 ? (createRequire(import.meta.url)(file) as FloatMode) : undefined;
}

const mode = buildFloatMode();
const skip = skippedWithoutNative() || (mode ? false : 'SKIPPED: no C compiler');

describe(
  'native kernels, where another addon left the processor rounding towards zero and without denormals',
  { skip },
  () => {
    const status = nativeStatus();
    const addon = status.available ? status.addon : undefined;
    /** Halves between two floats, and denormals: sums that the odd mode gives other bits. */
    const [a, b] = [
      [1, 1, -3, 1e-40, 1.5e-45],
      [1.8e-7, 5.9e-8, -2.4e-7, 1e-41, 1.5e-45],
    ] as const;
    const expected = Float32Array.from(a, (value, i) => Math.fround(value) + Math.fround(b[i]!));

    for (const [variant, name] of (addon?.variants ?? []).entries()) {
      it(`${name}: round to nearest, keep denormals, and leave the mode as it was`, () => {
        const arena = createArena();
        const kernels = bindNative(addon!, arena, variant);
        const [target, source] = [arena.float32(a.length), arena.float32(a.length)];
        target.set(a);
        source.set(b);
        const [to, from] = [target.byteOffset, source.byteOffset];
        mode!.setOddMode();
        kernels.add(0, to, from, a.length);
        const isStillOdd = mode!.restoreMode();
        assert.deepEqual(target, expected);
        assert.equal(isStillOdd, 1);
      });
    }
  },
);
