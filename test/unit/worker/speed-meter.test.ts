import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeedMeter } from '../../../src/worker/speed-meter.js';

/** `count` blocks of steps that take so many seconds for 100 samples. */
function measure(meter: SpeedMeter, count: number, seconds: number): void {
  for (let step = 0; step < count * 15; step++) meter.measured(seconds, 100);
}

test('disturbed steps and empty ranges do not show', () => {
  const meter = new SpeedMeter();
  for (let step = 0; step < 14; step++) meter.measured(0.2, 100);
  assert.equal(meter.secondsPerSample, undefined, 'too few yet');
  meter.measured(0, 0);
  meter.measured(5, 100);
  assert.equal(meter.secondsPerSample, 0.002);
});

test('a burst of somebody else hardly shows, and a machine that has become slower does', () => {
  const meter = new SpeedMeter();
  measure(meter, 20, 0.2);
  measure(meter, 1, 0.4);
  assert.ok(meter.secondsPerSample! < 0.002 * 1.1, String(meter.secondsPerSample));
  measure(meter, 24, 0.4);
  assert.ok(meter.secondsPerSample! > 0.004 * 0.85, String(meter.secondsPerSample));
});

test('the first blocks count alike', () => {
  const meter = new SpeedMeter();
  measure(meter, 1, 0.2);
  measure(meter, 1, 0.4);
  assert.ok(Math.abs(meter.secondsPerSample! - 0.003) < 1e-12);
});
