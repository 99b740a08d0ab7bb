/** Numbers and sentences of a run as people read them. Pure: the same event gives the same text everywhere. */

import type { EvaluationRecord, RunEvent, RunReport } from '../../core/events.js';

export type Started = Extract<RunEvent, { type: 'started' }>;
export type Step = Extract<RunEvent, { type: 'step' }>;

/** `21,300`: independent of the locale. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0:07`, `12:40`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (part: number) => String(part).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : /(s|tch)$/.test(noun) ? 'es' : 's'}`;
}

/** Time until the last step at the speed of now, evaluations not counted; `-` before the speed is known. */
export function timeLeft({ step, globalBatchSize, imagesPerSecond }: Step, stepsTotal: number): string {
  const seconds = (Math.max(0, stepsTotal - step) * globalBatchSize) / imagesPerSecond;
  return Number.isFinite(seconds) ? duration(seconds) : '-';
}

export function startLines(started: Started): string[] {
  const { model, parameterCount, engine, worldSize, globalBatchSize, microBatchSize, epochsTotal, stepsTotal, out } =
    started;
  const warmup = started.warmupSteps > 0 ? `, reached over ${plural(started.warmupSteps, 'step')}` : '';
  const note = started.opByOp === undefined ? [] : [`op by op, which is slower: ${started.opByOp}`];
  return [
    `training ${model} (${grouped(parameterCount)} parameters) on ${plural(worldSize, 'worker')}, engine ${engine}`,
    ...note,
    `batch of ${grouped(globalBatchSize)} in micro-batches of ${grouped(microBatchSize)}, ${plural(stepsTotal, 'step')} in ${plural(epochsTotal, 'epoch')}`,
    `${started.optimizer} with a learning rate of ${Number(started.learningRate.toPrecision(6))}${warmup}`,
    `results go to ${out}`,
  ];
}

export function stepLine(step: Step, { epochsTotal, stepsTotal }: Started): string {
  return [
    `epoch ${step.epoch + 1}/${epochsTotal}`,
    `step ${grouped(step.step)}/${grouped(stepsTotal)}`,
    `loss ${lossText(step.loss)}`,
    `${grouped(step.imagesPerSecond)} images/s`,
    `ETA ${timeLeft(step, stepsTotal)}`,
  ].join('  ');
}

export function skippedLine(step: Step): string {
  const { lossScale = 1 } = step;
  const halved = lossScale > 1 ? `; the loss scale is ${grouped(lossScale / 2)} from here on` : '';
  return `step ${grouped(step.step)} was skipped: its gradient is not finite, so the weights stay as they were${halved}`;
}

export function membershipLine({
  step,
  worldSize,
  joined,
  left,
  reason,
}: Extract<RunEvent, { type: 'membership' }>): string {
  const changes = [
    ...(left.length > 0 ? [`${left.join(', ')} left (${reason})`] : []),
    ...(joined.length > 0 ? [`${joined.join(', ')} joined`] : []),
  ];
  return `step ${grouped(step)}  ${changes.join('; ')}; going on with ${plural(worldSize, 'worker')}, no step was lost`;
}

export function rangesLine({ step, workers }: Extract<RunEvent, { type: 'ranges' }>): string {
  const each = workers.map(({ workerId, microBatches, secondsPerSample }) => {
    const speed = secondsPerSample === null ? '' : ` (${(secondsPerSample * 1e6).toPrecision(3)} us a sample)`;
    return `${workerId} ${plural(microBatches, 'micro-batch')}${speed}`;
  });
  return `step ${grouped(step)}  ranges follow the speed of the workers: ${each.join(', ')}`;
}

export function resumedLine({ step, isFinished }: Extract<RunEvent, { type: 'resumed' }>): string {
  return isFinished
    ? `nothing is left to do: the run ended after ${plural(step, 'step')}; a later end (--steps, --epochs) continues it`
    : `resuming after step ${grouped(step)}`;
}

export function restoredLine({ step }: Extract<RunEvent, { type: 'restored' }>): string {
  return `a new coordinator has taken over at step ${grouped(step)} or later; the workers went on without one`;
}

export function checkpointFailedLine({ step, reason }: Extract<RunEvent, { type: 'checkpoint-failed' }>): string {
  return `the checkpoint of step ${grouped(step)} was not saved, training goes on: ${reason}`;
}

export function evaluationLine({ step, epoch, testAccuracy, testLoss, best, metrics = {} }: EvaluationRecord): string {
  const mark = best ? '  (best so far)' : '';
  const others = Object.entries(metrics).map(([name, value]) => `  ${name} ${lossText(value)}`);
  const accuracy = testAccuracy === null ? '' : `test accuracy ${testAccuracy.toFixed(4)}  `;
  return `epoch ${epoch + 1}  step ${grouped(step)}  ${accuracy}test loss ${lossText(testLoss)}${others.join('')}${mark}`;
}

const outcomes: Record<RunReport['outcome'], string> = {
  finished: 'finished',
  'target-reached': 'target accuracy reached',
  interrupted: 'interrupted and saved',
};

/** What the gradient noise scale means for somebody who thinks of more workers. */
function noiseText({ gradientNoiseScale = 0, globalBatchSize }: RunReport): string {
  const scale = grouped(Number(gradientNoiseScale.toPrecision(2)));
  return globalBatchSize < gradientNoiseScale
    ? `could grow: up to about ${scale} samples, a larger batch saves steps`
    : `large: above about ${scale} samples, more workers save little time`;
}

/** What the run is judged by: accuracy where there is one, else loss. */
function resultOf({ testLoss, bestTestLoss, testAccuracy, bestTestAccuracy }: RunReport): [string, string] {
  if (testLoss === null) return ['test', 'not evaluated'];
  const inWords = (last: string, best: string): string => (last === best ? last : `${last}  (best ${best})`);
  return testAccuracy === null
    ? ['test loss', inWords(lossText(testLoss), lossText(bestTestLoss ?? testLoss))]
    : ['test accuracy', inWords(testAccuracy.toFixed(4), (bestTestAccuracy ?? testAccuracy).toFixed(4))];
}

/** Losses of regressions may be small. */
export function lossText(loss: number): string {
  return loss >= 0.01 || loss === 0 ? loss.toFixed(4) : loss.toPrecision(3);
}

/** What is left to say at the end: label and value. */
export function summaryLines(report: RunReport): string[] {
  const rows: [string, string][] = [
    [
      outcomes[report.outcome],
      `${plural(report.steps, 'step')} in ${duration(report.secondsTotal)} on ${plural(report.worldSize, 'worker')}`,
    ],
    resultOf(report),
    ...Object.entries(report.testMetrics ?? {}).map(([name, value]): [string, string] => [name, lossText(value)]),
    ['speed', `${grouped(report.imagesPerSecond)} images/s`],
    ['weights', `sha256 ${report.weightsDigest}`],
    [
      '',
      report.bitExact
        ? 'the same bits with any number of workers'
        : `not bit-exact: ${report.bitExactReason ?? 'unknown reason'}`,
    ],
    ['results', report.out],
  ];
  if (report.skippedSteps > 0) rows.splice(2, 0, ['skipped', plural(report.skippedSteps, 'step')]);
  if ((report.inputWaitRatio ?? 0) >= 0.005)
    rows.push(['input', `${(report.inputWaitRatio! * 100).toFixed(1)} % of the time of steps was a wait for samples`]);
  if (report.gradientNoiseScale !== undefined) rows.splice(3, 0, ['batch size', noiseText(report)]);
  if (report.resumeWith !== undefined) rows.push(['resume', report.resumeWith]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}
