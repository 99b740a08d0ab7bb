import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardsIn, offersFor, shares, visibleCards } from '../../../src/agent/slots.js';

const cards = cardsIn('GPU-aa-1, NVIDIA A\nGPU-bb-2, NVIDIA B\n\nNo devices were found\n');

test('cards are read as nvidia-smi prints them', () => {
  assert.deepEqual(cards, [
    { uuid: 'GPU-aa-1', name: 'NVIDIA A' },
    { uuid: 'GPU-bb-2', name: 'NVIDIA B' },
  ]);
});

test('an agent offers what it may see itself, by index or by the beginning of a name', () => {
  const seen = (visible: string | undefined) => visibleCards(cards, visible).map(({ uuid }) => uuid);
  assert.deepEqual(seen(undefined), ['GPU-aa-1', 'GPU-bb-2']);
  assert.deepEqual(seen('1,0'), ['GPU-bb-2', 'GPU-aa-1']);
  assert.deepEqual(seen('GPU-bb'), ['GPU-bb-2']);
  assert.deepEqual(seen('0,-1,1'), ['GPU-aa-1'], 'what follows a wrong one does not count');
  assert.deepEqual(seen(''), []);
});

test('each card is a slot, with its share of the cores and its own index for WebGPU', () => {
  assert.deepEqual(offersFor(cards, [{ index: 4, name: 'NVIDIA B' }], 9), [
    {
      what: 'NVIDIA A',
      flags: ['--threads', '4', '--local-workers', '2'],
      environment: { CUDA_VISIBLE_DEVICES: 'GPU-aa-1' },
    },
    {
      what: 'NVIDIA B',
      flags: ['--gpu', '4', '--threads', '4', '--local-workers', '2'],
      environment: { CUDA_VISIBLE_DEVICES: 'GPU-bb-2' },
    },
  ]);
  assert.deepEqual(offersFor([], [{ index: 0, name: 'Other' }], 4), [
    { what: 'Other', flags: ['--gpu', '0', '--threads', '4', '--local-workers', '1'] },
  ]);
  assert.deepEqual(offersFor([], [], 3), shares(1, 3));
  assert.deepEqual(
    shares(2, 3),
    Array(2).fill({ what: '1 threads', flags: ['--threads', '1', '--local-workers', '2'] }),
  );
});
