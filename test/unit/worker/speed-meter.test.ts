import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeedMeter } from '../../../src/worker/speed-meter.js';

test('the speed is the median of the last steps; disturbed ones and empty ranges do not show', () => {
  const meter = new SpeedMeter();
  for (let step = 0; step < 14; step++) meter.measured(0.2, 100);
  assert.equal(meter.secondsPerSample, undefined, 'too few yet');
  meter.measured(5, 100);
  meter.measured(0, 0);
  assert.equal(meter.secondsPerSample, 0.002);
  for (let step = 0; step < 15; step++) meter.measured(0.2, 50);
  assert.equal(meter.secondsPerSample, 0.004);
});
