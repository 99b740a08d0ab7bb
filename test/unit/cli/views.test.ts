import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createView, wantsColour } from '../../../src/cli/view/create-view.js';
import { JsonLinesView } from '../../../src/cli/view/json-lines.js';
import { ProgressView } from '../../../src/cli/view/progress.js';
import { duration, evaluationLine, grouped, plural, summaryLines, timeLeft } from '../../../src/cli/view/wording.js';
import { evaluation, result, started, step } from './events.js';
import { FakeStream } from './fake-stream.js';

/** A view on a stream, with a clock that the test turns. */
function watched({ isTTY, colour = false }: { isTTY: boolean; colour?: boolean }) {
  const stream = new FakeStream(isTTY);
  const clock = { ms: 0 };
  return { stream, clock, view: new ProgressView(stream.asTerminal, { nowMs: () => clock.ms, colour }) };
}

describe('plain lines', () => {
  test('a whole run', () => {
    const { stream, clock, view } = watched({ isTTY: false });
    view.show({
      type: 'listening',
      coordinator: '127.0.0.1:7070',
      metrics: 'http://127.0.0.1:9464/metrics',
      page: 'http://127.0.0.1:9464/',
    });
    for (const joined of [0, 0, 1]) view.show({ type: 'waiting', joined, worldSize: 2 });
    view.show(started);
    for (let i = 1; i <= 235; i++) {
      clock.ms += 20; // 4.7 s in all
      view.show(step(i));
    }
    view.show(evaluation);
    for (let i = 236; i <= 470; i++) {
      clock.ms += 50;
      view.show(step(i, i === 300 ? { skipped: true } : {}));
    }
    view.show({ type: 'stopping', reason: 'target accuracy 0.98 reached' });
    view.show(result);
    assert.deepEqual(stream.lines, [
      'coordinator on 127.0.0.1:7070, watch the run on http://127.0.0.1:9464/',
      'waiting for workers: 0 of 2 have joined',
      'waiting for workers: 1 of 2 have joined',
      'training lenet5 (44,426 parameters) on 2 workers, engine wasm',
      'batch of 256 in micro-batches of 32, 470 steps in 2 epochs',
      'adam with a learning rate of 0.002',
      'results go to runs/r1',
      'epoch 1  step 235  test accuracy 0.9786  test loss 0.0712  (best so far)',
      'epoch 2/2  step 241/470  loss 0.2500  12,800 images/s  ETA 0:05',
      'step 300 was skipped: its gradient is not finite, so the weights stay as they were',
      'epoch 2/2  step 341/470  loss 0.2500  12,800 images/s  ETA 0:03',
      'epoch 2/2  step 441/470  loss 0.2500  12,800 images/s  ETA 0:01',
      'stopping: target accuracy 0.98 reached',
      '',
      'finished       470 steps in 1:23 on 2 workers',
      'test accuracy  0.9851',
      'speed          20,346 images/s',
      `weights        sha256 ${'ab'.repeat(32)}`,
      '               the same bits with any number of workers',
      'results        runs/r1',
    ]);
  });

  test('no control characters, and no colour unless it is wanted', () => {
    for (const colour of [false, true]) {
      const { stream, view } = watched({ isTTY: false, colour });
      view.show({ type: 'waiting', joined: 0, worldSize: 2 });
      view.show(started);
      view.show(result);
      assert.equal(stream.text.includes('\u001B['), colour);
    }
  });
});

describe('a terminal', () => {
  test('a bar that gives way to lines, and is gone at the end, the cursor shown', () => {
    const { stream, view } = watched({ isTTY: true });
    view.show(started);
    assert.match(stream.text, /epoch 1\/2 .*0\/470 steps {2}loss - /);
    view.show(step(235));
    view.show(evaluation);
    assert.match(stream.text, /test accuracy 0\.9786[^\n]*\n/);
    assert.match(
      stream.text.slice(stream.text.lastIndexOf('\n')),
      /235\/470 steps {2}loss 0\.2500 {2}12,800 images\/s {2}ETA 0:05/,
    );
    view.show(result);
    view.close();
    const ending = stream.text.slice(stream.text.indexOf('finished'));
    assert.ok(!ending.includes('/470'), 'no bar after the summary');
    assert.ok(stream.text.lastIndexOf('\u001B[?25h') > stream.text.lastIndexOf('\u001B[?25l'), 'the cursor is back');
  });

  test('an error takes the bar away and leaves the words to others', () => {
    const { stream, view } = watched({ isTTY: true });
    view.show(started);
    view.show({ type: 'error', code: 'X', message: 'secret', remedy: 'r' });
    assert.ok(!stream.text.includes('secret'));
    assert.ok(stream.text.lastIndexOf('\u001B[?25h') > stream.text.lastIndexOf('\u001B[?25l'));
  });
});

test('a run that is resumed, cannot save a checkpoint, and is interrupted again', () => {
  const { stream, view } = watched({ isTTY: false });
  view.show({ type: 'resumed', step: 1200, isFinished: false });
  view.show(started);
  view.show({ type: 'checkpoint', step: 1300, seconds: 0.1 });
  view.show({ type: 'checkpoint-failed', step: 1400, reason: 'no room to write it' });
  view.show({ ...result, outcome: 'interrupted', resumeWith: 'lockstep train --resume runs/r1' });
  assert.equal(stream.lines[0], 'resuming after step 1,200');
  assert.equal(stream.lines[5], 'the checkpoint of step 1,400 was not saved, training goes on: no room to write it');
  assert.equal(stream.lines.at(-1), 'resume                 lockstep train --resume runs/r1');
  view.show({ type: 'resumed', step: 470, isFinished: true });
  assert.match(stream.lines.at(-1) ?? '', /^nothing is left to do: the run ended after 470 steps; /);
});

describe('JSON lines', () => {
  test('each event is one object with the schema first, nothing else is written', () => {
    const stream = new FakeStream(true);
    const view = new JsonLinesView(stream.asTerminal);
    const events = [started, step(1), evaluation, result];
    events.forEach((event) => view.show(event));
    view.close();
    assert.deepEqual(
      stream.lines.map((line) => JSON.parse(line) as unknown),
      events.map((event) => ({ schema: 1, ...event })),
    );
    assert.ok(stream.lines.every((line) => line.startsWith('{"schema":1,"type":"')));
  });
  test('what is not finite becomes null', () => {
    const stream = new FakeStream(false);
    new JsonLinesView(stream.asTerminal).show(step(1, { loss: NaN, gradientNorm: Infinity, skipped: true }));
    const line = JSON.parse(stream.text) as Record<string, unknown>;
    assert.deepEqual([line['loss'], line['gradientNorm'], line['skipped']], [null, null, true]);
  });
});

test('which view, and whether in colour', () => {
  const terminal = new FakeStream(true).asTerminal;
  assert.ok(createView(terminal, true, {}, () => 0) instanceof JsonLinesView);
  assert.ok(createView(terminal, false, {}, () => 0) instanceof ProgressView);
  assert.deepEqual(
    [{}, { NO_COLOR: '' }, { NO_COLOR: '1' }, { TERM: 'dumb' }].map((environment) =>
      wantsColour(terminal, environment),
    ),
    [true, true, false, false],
  );
  assert.equal(wantsColour(new FakeStream(false).asTerminal, {}), false);
});

describe('wording', () => {
  test('numbers', () => {
    assert.deepEqual(
      ['epoch', 'micro-batch'].map((noun) => plural(2, noun)),
      ['2 epochs', '2 micro-batches'],
    );
    assert.deepEqual([0, 999, 1000, 1234567, 20345.6].map(grouped), ['0', '999', '1,000', '1,234,567', '20,346']);
    assert.deepEqual([0, 7, 60, 760, 3723, 86_400].map(duration), [
      '0:00',
      '0:07',
      '1:00',
      '12:40',
      '1:02:03',
      '24:00:00',
    ]);
    assert.deepEqual([plural(1, 'step'), plural(2, 'step'), plural(0, 'worker')], ['1 step', '2 steps', '0 workers']);
  });
  test('time left, known or not', () => {
    assert.equal(timeLeft(step(470), 470), '0:00');
    assert.equal(timeLeft(step(1, { imagesPerSecond: 0 }), 470), '-');
    assert.equal(timeLeft(step(1, { imagesPerSecond: NaN }), 470), '-');
  });
  test('a summary of a run that did not go as planned', () => {
    const text = summaryLines({
      ...result,
      outcome: 'interrupted',
      testAccuracy: 0.97,
      skippedSteps: 2,
      bitExact: false,
      bitExactReason: 'the engine says so',
    }).join('\n');
    assert.match(text, /^interrupted and saved /);
    assert.match(text, /0\.9700 {2}\(best 0\.9851\)/);
    assert.match(text, /skipped +2 steps/);
    assert.match(text, /not bit-exact: the engine says so/);
    assert.match(summaryLines({ ...result, testLoss: null }).join('\n'), /not evaluated/);
  });
  test('a run without accuracy is judged by its loss', () => {
    const none = { testAccuracy: null, bestTestAccuracy: null };
    const text = summaryLines({ ...result, ...none, testLoss: 0.00123, bestTestLoss: 0.0011 }).join('\n');
    assert.match(text, /^test loss +0\.00123 {2}\(best 0\.00110\)$/m);
    assert.doesNotMatch(text, /accuracy/);
    const line = evaluationLine({ step: 8, epoch: 0, testLoss: 0.5, testAccuracy: null, best: true });
    assert.equal(line, 'epoch 1  step 8  test loss 0.5000  (best so far)');
  });
});
