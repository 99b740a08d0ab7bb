// @ts-check
/** Does it learn? */

import { run } from './panels.mjs';

/** @param {import('./build.mjs').Names} names @returns {import('./panels.mjs').Panel[]} */
export function trainingPanels({ coordinator: c, worker: w }) {
  return [
    {
      kind: 'stat',
      title: 'How far is it?',
      about: 'Steps that are finished, as a share of the whole run.',
      queries: [{ expr: `${c.step}{${run}} / ${c.stepsPlanned}{${run}}`, legend: '{{run}}' }],
      unit: 'percentunit',
      min: 0,
      max: 1,
    },
    {
      kind: 'stat',
      title: 'How long until the end?',
      about: 'At the speed of the last five minutes.',
      queries: [
        {
          expr: `(${c.stepsPlanned}{${run}} - ${c.step}{${run}}) / (rate(${c.steps}{${run}}[5m]) > 0)`,
          legend: '{{run}}',
        },
      ],
      unit: 's',
    },
    {
      kind: 'stat',
      title: 'Which epoch is it?',
      about: 'Pass over the training set, from 0.',
      queries: [{ expr: `${c.epoch}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
    },
    {
      kind: 'stat',
      title: 'What is the best test accuracy?',
      about: 'The highest share of the test set that was answered correctly so far.',
      queries: [{ expr: `${c.bestTestAccuracy}{${run}}`, legend: '{{run}}' }],
      unit: 'percentunit',
    },
    {
      kind: 'stat',
      title: 'Were steps skipped?',
      about: 'Steps whose gradient was not finite, so that the weights stayed as they were. 0 is right.',
      queries: [{ expr: `${c.skippedSteps}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
      thresholds: [
        { value: null, color: 'green' },
        { value: 1, color: 'red' },
      ],
    },
    {
      kind: 'stat',
      title: 'How old is the newest checkpoint?',
      about: 'What would be lost if every machine stopped now.',
      queries: [{ expr: `time() - ${c.checkpointTime}{${run}} > 0 < 1e9`, legend: '{{run}}' }],
      unit: 's',
    },
    {
      kind: 'lines',
      title: 'Does the loss fall?',
      about:
        'Mean loss of the last step, and on the test set. If the second one rises while the first one falls, it learns by heart.',
      queries: [
        { expr: `${c.loss}{${run}}`, legend: 'training {{run}}' },
        { expr: `${c.testLoss}{${run}}`, legend: 'test {{run}}' },
      ],
      unit: 'short',
      logarithmic: true,
    },
    {
      kind: 'lines',
      title: 'How often is it right?',
      about: 'Share of the samples that were answered correctly, of the last step and of the test set.',
      queries: [
        { expr: `${c.accuracy}{${run}}`, legend: 'training {{run}}' },
        { expr: `${c.testAccuracy}{${run}}`, legend: 'test {{run}}' },
      ],
      unit: 'percentunit',
      max: 1,
    },
    {
      kind: 'lines',
      title: 'What do its own metrics say?',
      about: 'Means over the test set of the metrics that the module of the run defines, by name; empty without any.',
      queries: [{ expr: `${c.testMetric}{${run}}`, legend: '{{metric}} {{run}}' }],
      unit: 'short',
    },
    {
      kind: 'lines',
      title: 'How large are its steps?',
      about: 'Learning rate, with schedule and warm-up.',
      queries: [{ expr: `${c.learningRate}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'How large is the gradient?',
      about:
        'L2 norm of the mean gradient before clipping. A jump before the loss jumps is the cause; then clip, or lower the rate.',
      queries: [{ expr: `${c.gradientNorm}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
      logarithmic: true,
    },
    {
      kind: 'lines',
      title: 'How large is the batch?',
      about:
        'Samples of one step over all workers, beside the gradient noise scale: far below it, a larger batch saves steps; far above it, a larger one saves hardly any.',
      queries: [
        { expr: `${c.globalBatchSize}{${run}}`, legend: 'batch {{run}}' },
        { expr: `${c.gradientNoiseScale}{${run}}`, legend: 'noise scale {{run}}' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'What does an evaluation cost?',
      about: 'Evaluations in the last five minutes, and seconds that one takes on a worker, as a mean.',
      queries: [
        { expr: `increase(${c.evaluations}{${run}}[5m])`, legend: 'evaluations {{run}}' },
        {
          expr: `sum(rate(${w.evaluationSeconds}_sum{${run}}[5m])) / sum(rate(${w.evaluationSeconds}_count{${run}}[5m]) > 0)`,
          legend: 'seconds of one',
        },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Are checkpoints written?',
      about:
        'The step of the newest one on the disk, and failures since the coordinator began: the run goes on without those.',
      queries: [
        { expr: `${c.checkpointStep}{${run}}`, legend: 'step {{run}}' },
        { expr: `${c.checkpointFailures}{${run}}`, legend: 'failures {{run}}' },
      ],
      unit: 'short',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'How long does a checkpoint take?',
      about:
        'From asking a worker for its state until it is on the disk; nine of ten take less. Training goes on meanwhile.',
      queries: [
        {
          expr: `histogram_quantile(0.9, sum by (run, le) (increase(${c.checkpointSeconds}_bucket{${run}}[1h])))`,
          legend: '{{run}}',
        },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'table',
      title: 'What is being trained?',
      about: 'Model and engine of each run.',
      queries: [{ expr: `${c.run}{${run}}`, legend: '{{run}}' }],
      unit: 'short',
    },
  ];
}
