import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/core/paths.js';
import { decodeSafetensors } from '../../src/store/safetensors.js';
import { jsonLines, runToEnd, workshop } from './lockstep.js';

const place = workshop({ after });
const fixtures = join(packageRoot, 'test', 'fixtures', 'golden');

interface Golden {
  readonly optimizer: string;
  readonly lr: number;
  readonly lossPerStep: readonly number[];
  readonly distanceMoved: number;
}

const optionNames = ['beta1', 'beta2', 'epsilon', 'rho', 'momentum'] as const;

/** Five steps of LeNet-5 as PyTorch took them in float64 (test/fixtures/golden/README.md). */
for (const name of ['adam', 'rmsprop', 'momentum']) {
  for (const { workers, microBatch } of [
    { workers: 1, microBatch: 64 },
    { workers: 3, microBatch: 32 },
  ]) {
    test(`${name} follows PyTorch, ${workers} workers, micro-batches of ${microBatch}`, async () => {
      const golden = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as Golden &
        Record<string, unknown>;
      const out = place.path(`${name}-${workers}`);
      const args = ['train', '--workers', String(workers), '--micro-batch', String(microBatch), '--out', out, '--json'];
      args.push(
        '--init',
        join(fixtures, 'init.safetensors'),
        '--shuffle',
        'none',
        '--global-batch',
        '256',
        '--steps',
        '5',
      );
      args.push('--optimizer', golden.optimizer, '--lr', String(golden.lr), '--metrics-port', '0');
      for (const option of optionNames)
        if (option in golden) args.push('--optimizer-option', `${option}=${String(golden[option])}`);

      const { code, stdout, stderr } = await runToEnd(args, place.folder);
      assert.equal(code, 0, stderr);
      const losses = jsonLines(stdout).flatMap((line) => (line.type === 'step' ? [line['loss'] as number] : []));
      assert.equal(losses.length, 5);
      losses.forEach((loss, i) =>
        assert.ok(Math.abs(loss - golden.lossPerStep[i]!) <= 1e-5, `loss ${loss} before step ${i + 1}`),
      );

      const [ours, theirs] = [join(out, 'final.safetensors'), join(fixtures, `${name}.safetensors`)].map((path) =>
        decodeSafetensors(readFileSync(path), path),
      );
      let squares = 0;
      for (const { name: tensor, data } of theirs!.tensors) {
        const own = ours!.tensors.find((t) => t.name === tensor)!.data;
        data.forEach((value, i) => (squares += (own[i]! - value) ** 2));
      }
      const distance = Math.sqrt(squares) / golden.distanceMoved;
      assert.ok(distance <= 0.01, `weights are ${distance} of the way off`);
    });
  }
}
