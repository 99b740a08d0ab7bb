import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explanation } from '../../../src/cli/commands/explain.js';
import { topLines } from '../../../src/cli/view/top-lines.js';
import type { PhaseSeconds, RunReport } from '../../../src/core/events.js';
import { findings, whereTimeWent } from '../../../src/live/explain.js';
import type { Lane, Picture } from '../../../src/live/picture.js';

const balanced: PhaseSeconds = { compute: 9, wait: 0.2, exchange: 0.5, update: 0.3 };

function lane(worker: string, changes: Partial<Lane> = {}): Lane {
  const present = [{ from: 0, to: null }];
  return {
    worker,
    rank: 0,
    present,
    seconds: balanced,
    steps: 100,
    waitsFor: null,
    waitedForSeconds: 0,
    recent: [],
    ...changes,
  };
}

function picture(changes: Partial<Picture> = {}): Picture {
  return {
    version: 1,
    state: 'training',
    reason: '',
    runId: 'r1',
    facts: {
      model: 'mlp',
      parameterCount: 9,
      hasAccuracy: true,
      engine: 'wasm',
      globalBatchSize: 64,
      microBatchSize: 8,
      stepsTotal: 200,
      stepsPerEpoch: 50,
      epochsTotal: 4,
      out: 'o',
    },
    config: {},
    now: {
      step: 100,
      epoch: 1,
      loss: 0.5,
      accuracy: 0.9,
      learningRate: 0.001,
      gradientNorm: 1,
      globalBatchSize: 64,
      worldSize: 2,
      generation: 1,
      imagesPerSecond: 640,
    },
    curves: {
      stride: 1,
      from: 0,
      step: [1, 2, 3],
      loss: [2, null, 1],
      accuracy: [0.1, null, 0.5],
      imagesPerSecond: [10, 20, 30],
      learningRate: [1, 1, 1],
      gradientNorm: [1, null, 1],
      worldSize: [2, 2, 2],
    },
    evaluations: [{ step: 50, epoch: 0, testLoss: 1, testAccuracy: 0.75, best: true }],
    lanes: [lane('a'), lane('b', { rank: 1 })],
    log: [
      { schema: 1, sequence: 1, time: '2026-01-01T10:11:12.000Z', run: 'r1', type: 'checkpoint', step: 50, seconds: 1 },
    ],
    skippedSteps: 0,
    report: null,
    ...changes,
  };
}

const whats = (of: Picture) => findings(of).map(({ what }) => what);

describe('findings', () => {
  test('none where the time goes into computing', () => assert.deepEqual(whats(picture()), []));

  test('the worker for which the others wait', () => {
    const waits = { compute: 5, wait: 4, exchange: 0.5, update: 0.5 };
    const lanes = [lane('a', { seconds: waits }), lane('b', { seconds: waits }), lane('c', { waitedForSeconds: 8 })];
    const [found, ...more] = whats(picture({ lanes }));
    assert.match(found!, /^c is slow: 100 % of the waiting, which takes 27 % of all time/);
    assert.deepEqual(more, []);
    const spread = lanes.map((l) => ({ ...l, waitedForSeconds: 3 }));
    assert.match(whats(picture({ lanes: spread }))[0]!, /for one worker as for another/, 'nobody is blamed for all');
  });

  test('samples that are read too slowly', () => {
    const seconds = { compute: 9, input: 3, wait: 0.5, exchange: 0.3, update: 0.2 };
    const lanes = [lane('a', { seconds }), lane('b')];
    assert.deepEqual(whats(picture({ lanes })), ['15 % of the time is spent waiting for samples to be read']);
  });

  test('exchange, optimizer, skipped steps, lost workers, time outside of steps', () => {
    const seconds = { compute: 5, wait: 0, exchange: 3, update: 2 };
    const lanes = [lane('a', { seconds }), lane('b', { seconds }), lane('c', { rank: null, seconds })];
    const report = { secondsTotal: 40 } as RunReport;
    const found = whats(picture({ lanes, skippedSteps: 3, report }));
    for (const pattern of [
      /^3 of 100 steps/,
      /^c took part and is gone/,
      /exchange of gradients takes 30 %/,
      /optimizer takes 20 %/,
      /^75 % of the run's 40 s/,
    ])
      assert.ok(
        found.some((what) => pattern.test(what)),
        `${String(pattern)}: ${found.join('; ')}`,
      );
  });

  test('micro-batches that cannot be shared out evenly', () => {
    const now = { ...picture().now!, worldSize: 3 };
    assert.match(whats(picture({ now }))[0]!, /8 micro-batches for 3 workers.* 11 % of their time is lost/);
    assert.deepEqual(whats(picture({ now: { ...now, worldSize: 4 } })), []);
  });
});

test('in a sentence', () => {
  assert.equal(
    whereTimeWent(picture().lanes),
    'Workers spend 90 % computing, 2 % waiting, 5 % exchanging and 3 % updating.',
  );
  assert.equal(whereTimeWent([]), 'Nobody has told of a step yet.');
  assert.match(
    explanation(picture()).join('\n'),
    /^r1: mlp on 2 workers, training, step 100 of 200, 640 images\/s\.\n.*\n\nNothing/,
  );
});

test('in a terminal: no line is wider than it', () => {
  for (const width of [60, 100]) {
    const lines = topLines(picture(), width);
    assert.ok(lines.every((line) => line.length <= width));
    assert.match(lines[0]!, /^mlp {2}r1 {2}training$/);
    assert.match(lines.join('\n'), /█+░+ {2}step 100\/200 {2}epoch 2\/4 {2}0:10 left/);
    assert.match(lines.join('\n'), /^loss {3}█▁$/m);
    assert.match(lines.join('\n'), /^10:11:12 {2}checkpoint {2}step 50/m);
  }
  assert.match(
    topLines(picture({ facts: null, now: null, lanes: [], reason: '1 of 2' }), 80).join('\n'),
    /training: 1 of 2/,
  );
});
