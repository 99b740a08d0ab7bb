import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bindings } from '../../src/launch/core-binding.js';
import { lastLine, runToEnd, workshop } from './lockstep.js';

const place = workshop({ after });

async function digestOf(workers: number, flags: readonly string[]): Promise<unknown> {
  const name = `out-${workers}-${flags.join('')}`.replaceAll(/[^\w-]/g, '');
  const args = [
    'train',
    '--workers',
    String(workers),
    '--seed',
    '7',
    '--json',
    '--metrics-port',
    '0',
    '--out',
    place.path(name),
    ...flags,
  ];
  const { code, stdout, stderr } = await runToEnd(args, place.folder);
  assert.equal(code, 0, stderr);
  const report = lastLine(stdout);
  assert.equal(report['worldSize'], workers);
  assert.equal(report['bitExact'], true);
  return `${String(report['weightsDigest'])} ${String(report['gradientNoiseScale'])}`;
}

test('1, 2 and 3 workers train the same weights, bit for bit', async () => {
  const flags = ['--global-batch', '256', '--micro-batch', '32', '--steps', '40'];
  const digests = [await digestOf(1, flags), await digestOf(2, flags), await digestOf(3, flags)];
  assert.match(String(digests[0]), /^[0-9a-f]{64} \d+\.\d+$/, 'weights, and the gradient noise scale');
  assert.deepEqual(new Set(digests).size, 1, String(digests));
});

test('so they do with a schedule, momentum, clipping, a short last batch, and more workers than micro-batches', async () => {
  const flags = [
    ...['--global-batch', '7000', '--micro-batch', '1000', '--epochs', '1', '--model', 'mlp', '--optimizer', 'rmsprop'],
    ...['--optimizer-option', 'momentum=0.9', '--optimizer-option', 'centered=true', '--clip-norm', '0.5'],
    ...['--lr-schedule', 'cosine', '--warmup-steps', '3'],
  ];
  const digests = [await digestOf(1, flags), await digestOf(8, flags)];
  assert.deepEqual(new Set(digests).size, 1, String(digests));
});

/** Where the system can. */
function boundToCores(): readonly string[] {
  try {
    bindings(1);
    return ['--bind-to', 'core'];
  } catch {
    return [];
  }
}

test('so they do on several threads each, more of them than micro-batches too, in the main thread, and bound to cores', async () => {
  const flags = ['--global-batch', '256', '--micro-batch', '32', '--steps', '12'];
  const digests = [
    await digestOf(1, [...flags, '--threads', '1', ...boundToCores()]),
    await digestOf(2, [...flags, '--threads', '3']),
    await digestOf(3, [...flags, '--threads', '4']),
    await digestOf(2, [...flags, '--threads', '1', '--engine-thread', 'own']),
    await digestOf(3, [...flags, '--threads', '1', '--engine-thread', 'main']),
  ];
  assert.deepEqual(new Set(digests).size, 1, String(digests));
});

test('another seed gives other weights, so the digest tells something', async () => {
  const flags = ['--global-batch', '256', '--micro-batch', '32', '--steps', '3'];
  assert.notEqual(await digestOf(1, flags), await digestOf(1, [...flags, '--seed', '8']));
});
