import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunEvent, RunReport, StepTiming } from '../../../src/core/events.js';
import { Recorder } from '../../../src/live/recorder.js';
import { FakeClock } from '../fake-clock.js';

const started: RunEvent = {
  type: 'started',
  runId: 'r1',
  out: 'o',
  model: 'mlp',
  parameterCount: 9,
  hasAccuracy: true,
  engine: 'wasm',
  worldSize: 2,
  globalBatchSize: 64,
  microBatchSize: 8,
  stepsTotal: 10,
  stepsPerEpoch: 5,
  epochsTotal: 2,
  optimizer: 'adam',
  learningRate: 0.1,
  warmupSteps: 0,
};

function stepEvent(step: number, changes: { loss?: number; skipped?: boolean } = {}): RunEvent {
  return {
    type: 'step',
    step,
    epoch: 0,
    loss: 2,
    accuracy: 0.5,
    learningRate: 0.1,
    globalBatchSize: 64,
    sampleCount: 64,
    worldSize: 2,
    generation: 1,
    gradientNorm: 1,
    skipped: false,
    seconds: { compute: 0.5, wait: 0.25, exchange: 0.125, update: 0.125 },
    imagesPerSecond: 64,
    ...changes,
  };
}

function timing(step: number, beginMs: number, slowestRank: number, wait = 0.01): StepTiming {
  return { step, beginMs, slowestRank, seconds: { compute: 0.02, wait, exchange: 0.005, update: 0.001 } };
}

function recorderAt() {
  const clock = new FakeClock();
  const recorder = new Recorder({ runId: 'r1', config: { seed: 7 }, clock, wallTimeMs: () => 1e12 + clock.nowMs() });
  return { clock, recorder };
}

const types = (recorder: Recorder) => recorder.events.since(0).map(({ type }) => type);

describe('the picture', () => {
  test('waits, trains, is finished', () => {
    const { recorder } = recorderAt();
    recorder.observe({ type: 'waiting', joined: 1, worldSize: 2 });
    assert.deepEqual([recorder.picture().state, recorder.picture().reason], ['waiting', '1 of 2 workers are here']);
    recorder.observe(started);
    recorder.observe(stepEvent(1));
    assert.deepEqual([recorder.picture().state, recorder.picture().reason], ['training', '']);
    assert.equal(recorder.picture().now?.loss, 2);
    const report = { outcome: 'finished', steps: 1, testAccuracy: 0.5, weightsDigest: 'd' } as RunReport;
    recorder.observe({ type: 'result', ...report });
    recorder.observe({ type: 'result', ...report });
    recorder.departed('w-000000', 'connection', 'it went home');
    assert.deepEqual(recorder.picture().report, report);
    assert.deepEqual(types(recorder), ['waiting', 'started', 'steps', 'finished'], 'and nothing twice');
  });

  test('a skipped step is an alert, and no part of the curves', () => {
    const { recorder } = recorderAt();
    recorder.observe(started);
    recorder.observe(stepEvent(1, { loss: NaN, skipped: true }));
    const { now, curves, skippedSteps } = recorder.picture();
    assert.deepEqual([now?.loss, curves.loss, skippedSteps], [null, [null], 1]);
    assert.ok(types(recorder).includes('alert'));
  });

  test('goes on with what an earlier process recorded, without an event', () => {
    const { recorder } = recorderAt();
    const { type: _type, imagesPerSecond: _speed, ...record } = stepEvent(1) as Extract<RunEvent, { type: 'step' }>;
    recorder.remember(record);
    recorder.remember({ step: 1, epoch: 0, testLoss: 1, testAccuracy: 0.5, best: true });
    assert.deepEqual(recorder.picture().curves.step, [1]);
    assert.equal(recorder.picture().evaluations.length, 1);
    assert.deepEqual(types(recorder), []);
  });
});

describe('a run that an earlier coordinator told of', () => {
  const first = () => {
    const { recorder } = recorderAt();
    recorder.arrived('a-000001', 'here');
    recorder.arrived('b-000002', 'here');
    recorder.observe(started);
    recorder.began(1, ['a-000001', 'b-000002'], 0);
    for (let step = 1; step <= 3; step++) recorder.observe(stepEvent(step, { loss: NaN, skipped: step === 1 }));
    recorder.observe({ type: 'evaluation', step: 3, epoch: 0, testLoss: 1, testAccuracy: 0.5, best: true });
    return recorder.events.since(0);
  };
  const next = () => {
    const { recorder } = recorderAt();
    const earlier = first();
    for (const event of [...earlier, ...earlier]) recorder.rememberEvent(event);
    return { recorder, news: () => recorder.events.since(earlier.length), earlier };
  };

  test('goes on with its numbers, and tells nothing twice', () => {
    const { recorder, news, earlier } = next();
    recorder.observe({ type: 'restored', step: 3, term: 2 });
    recorder.arrived('a-000001', 'here', true);
    recorder.arrived('b-000002', 'here', true);
    recorder.observe(started);
    recorder.began(1, ['a-000001', 'b-000002'], 0);
    for (let step = 1; step <= 5; step++) recorder.observe(stepEvent(step, { skipped: step === 1 || step === 5 }));
    recorder.observe({ type: 'evaluation', step: 3, epoch: 0, testLoss: 1, testAccuracy: 0.5, best: true });
    recorder.began(2, ['a-000001', 'b-000002'], 5);
    assert.deepEqual(
      news().map(({ sequence, type }) => [sequence - earlier.length, type]),
      [
        [1, 'restored'],
        [2, 'steps'],
        [3, 'alert'],
        [4, 'generation'],
      ],
    );
    assert.deepEqual(recorder.events.since(0).length, earlier.length + 4, 'what was told before can be read here, too');
  });

  test('tells what the earlier one recorded and did not come to tell', () => {
    const { recorder, news } = next();
    for (const step of [3, 4]) {
      const {
        type: _type,
        imagesPerSecond: _speed,
        ...record
      } = stepEvent(step) as Extract<RunEvent, { type: 'step' }>;
      recorder.remember(record);
    }
    recorder.remember({ step: 4, epoch: 1, testLoss: 1, testAccuracy: 0.5, best: false });
    const [steps, evaluation] = news();
    assert.ok(steps?.type === 'steps' && steps.firstStep === 4 && steps.imagesPerSecond === 64);
    assert.ok(evaluation?.type === 'evaluation' && evaluation.step === 4);
  });

  test('tells of workers that were lost or replaced while there was no coordinator', () => {
    const { recorder, news } = next();
    recorder.observe({ type: 'restored', step: 3, term: 2 });
    recorder.arrived('a-00000f', 'here', false); //                  another process under this name
    recorder.began(2, ['a-00000f'], 3);
    const told = news().map((event) => [event.type, 'worker' in event ? event.worker : '']);
    assert.deepEqual(told, [
      ['restored', ''],
      ['left', 'a'],
      ['joined', 'a'],
      ['left', 'b'],
      ['generation', ''],
    ]);
  });

  test('tells again what happens again after a checkpoint', () => {
    const { recorder, news } = next();
    recorder.observe({ type: 'resumed', step: 2, isFinished: false });
    recorder.arrived('a-000003', 'here');
    recorder.observe(started);
    recorder.began(1, ['a-000003'], 2);
    recorder.observe(stepEvent(3));
    recorder.observe({ type: 'evaluation', step: 3, epoch: 0, testLoss: 1, testAccuracy: 0.5, best: true });
    const told = news().map(({ type }) => type);
    assert.deepEqual(told, ['resumed', 'joined', 'started', 'generation', 'steps', 'evaluation']);
  });
});

describe('lanes', () => {
  test('clocks of workers are laid over each other by the smallest delay', () => {
    const { recorder } = recorderAt();
    recorder.began(1, ['a-000001', 'b-000002'], 0);
    recorder.heard('a-000001', 1_000, 5_007, []); //                 7 ms late: the clocks differ by 4000
    recorder.heard('a-000001', 2_000, 6_000, []);
    const [a] = recorder.heard('a-000001', 3_000, 7_003, [timing(1, 2_900, 1)]);
    const [b] = recorder.heard('b-000002', 90_000, 7_000, [timing(1, 89_900, 0)]);
    assert.deepEqual([a?.beginMs, b?.beginMs], [6_900, 6_900]);
    assert.deepEqual([a?.slowest, b?.slowest], ['b', 'a']);
  });

  test('say who waits for whom, and who made others wait', () => {
    const { recorder } = recorderAt();
    recorder.began(1, ['a-000001', 'b-000002', 'c-000003'], 0);
    recorder.heard('a-000001', 0, 0, [timing(1, 0, 2, 0.5), timing(2, 1, 1, 0.1)]);
    recorder.heard('b-000002', 0, 0, [timing(1, 0, 2, 0.25)]);
    const [a, b, c] = recorder.picture().lanes;
    assert.deepEqual([a?.waitsFor, b?.waitsFor, c?.waitsFor], ['c', 'c', null]);
    assert.deepEqual([a?.waitedForSeconds, b?.waitedForSeconds, c?.waitedForSeconds], [0, 0.1, 0.75]);
    assert.deepEqual([a?.steps, a?.seconds.wait], [2, 0.6]);
  });

  test('ranks of an earlier generation accuse nobody', () => {
    const { recorder } = recorderAt();
    recorder.began(1, ['a-000001', 'b-000002'], 0);
    recorder.began(2, ['b-000002', 'a-000001'], 5);
    const placed = recorder.heard('a-000001', 0, 0, [timing(5, 0, 1), timing(6, 1, 0)]);
    assert.deepEqual(
      placed.map(({ slowest }) => slowest),
      [undefined, 'b'],
    );
  });

  test('a worker that comes back under its name has one lane and two stays', () => {
    const { recorder } = recorderAt();
    recorder.began(1, ['a-000001', 'b-000002'], 0);
    recorder.began(2, ['a-000001'], 4);
    assert.equal(recorder.picture().lanes[1]?.rank, null);
    recorder.began(3, ['a-000001', 'b-00000f'], 7);
    const [a, b] = recorder.picture().lanes;
    assert.deepEqual(a?.present, [{ from: 0, to: null }]);
    assert.deepEqual(b?.present, [
      { from: 0, to: 4 },
      { from: 7, to: null },
    ]);
  });
});

describe('memory is bounded', () => {
  test('100,000 steps, 2,000 evaluations, workers that come under ever new names', () => {
    const { clock, recorder } = recorderAt();
    recorder.observe(started);
    for (let step = 1; step <= 100_000; step++) {
      recorder.observe(stepEvent(step, { loss: 1 / step }));
      if (step % 50 !== 0) continue;
      clock.advance(1_000);
      recorder.observe({ type: 'evaluation', step, epoch: 0, testLoss: 1, testAccuracy: 0.5, best: step === 400 });
      const id = `w${step}-00000a`;
      recorder.arrived(id, 'here');
      recorder.began(step, [id], step);
      recorder.heard(id, 0, 0, [timing(step + 1, 0, -1)]);
    }
    const picture = recorder.picture();
    const { curves, evaluations, lanes } = picture;
    assert.ok(curves.step.length > 512 && curves.step.length <= 1024, `${curves.step.length} entries`);
    assert.equal(curves.step.at(-1), 100_000);
    assert.ok(evaluations.length <= 512 && evaluations.some(({ best }) => best), 'thinned, the best is kept');
    assert.equal(evaluations.at(-1)?.step, 100_000);
    assert.ok(lanes.length <= 65, `${lanes.length} lanes`);
    assert.equal(recorder.events.since(0).length, 4096);
    assert.ok(JSON.stringify(picture).length < 250_000, 'small enough to send');
  });
});

describe('curves', () => {
  test('what is sent after the first time completes what is known, also when the stride doubles', () => {
    const { recorder } = recorderAt();
    let known = { stride: 0, count: 0 };
    let steps: readonly number[] = [];
    let losses: readonly (number | null)[] = [];
    for (let step = 1; step <= 5_000; step++) {
      recorder.observe(stepEvent(step, { loss: (step * 7) % 11 }));
      if (step % 37 !== 0) continue;
      const { stride, from, step: newer, loss } = recorder.picture(known).curves;
      steps = [...steps.slice(0, from), ...newer];
      losses = [...losses.slice(0, from), ...loss];
      known = { stride, count: steps.length };
    }
    const { curves } = recorder.picture();
    assert.equal(curves.stride, 8);
    const upTo = curves.step.indexOf(steps.at(-2)!) + 1; //          the last entry has grown since
    assert.deepEqual(steps.slice(0, -1), curves.step.slice(0, upTo));
    assert.deepEqual(losses.slice(0, -1), curves.loss.slice(0, upTo));
  });
});
