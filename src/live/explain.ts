import type { PhaseSeconds } from '../core/events.js';
import type { Lane, Picture } from './picture.js';

/** In words: the live page says it, too, and so nothing here needs Node. */

const phases = ['compute', 'wait', 'exchange', 'update'] as const;
type Phase = (typeof phases)[number];
export const phaseWords: Readonly<Record<Phase, string>> = {
  compute: 'computing',
  wait: 'waiting',
  exchange: 'exchanging',
  update: 'updating',
};

/** Something that a person may want to change. */
export interface Finding {
  readonly what: string;
  readonly advice: string;
}

/** Of each phase in a worker's time. */
export function phaseShares(seconds: PhaseSeconds): Readonly<Record<Phase, number>> {
  const total = seconds.compute + seconds.wait + seconds.exchange + seconds.update;
  const share = (phase: Phase) => (total > 0 ? seconds[phase] / total : 0);
  return { compute: share('compute'), wait: share('wait'), exchange: share('exchange'), update: share('update') };
}

/** Where the time went, in one sentence. */
export function whereTimeWent(lanes: readonly Lane[]): string {
  const told = lanes.filter(({ steps }) => steps > 0);
  if (told.length === 0) return 'Nobody has told of a step yet.';
  const shares = phaseShares(summed(told));
  const parts = phases.map((phase) => `${percent(shares[phase])} ${phaseWords[phase]}`);
  return `${told.length === 1 ? 'The worker spends' : 'Workers spend'} ${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}.`;
}

/** What stands out and what to do about it, the most important first; none when the run is as it should be. */
export function findings(picture: Picture): readonly Finding[] {
  const told = picture.lanes.filter(({ steps }) => steps > 0);
  return [
    ...failure(picture),
    ...(told.length > 0
      ? [...reading(told), ...waiting(told), ...exchanging(told), ...updating(told), ...outside(picture, told)]
      : []),
    ...division(picture),
  ];
}

function failure({ skippedSteps, now, lanes }: Picture): Finding[] {
  const lost = lanes.filter(({ rank }) => rank === null).map(({ worker }) => worker);
  return [
    ...(skippedSteps > 0
      ? [
          {
            what: `${skippedSteps} of ${now?.step ?? skippedSteps} steps were skipped, because their gradient was not finite`,
            advice: 'lower --lr, add --warmup-steps, or bound the gradient with --clip-norm',
          },
        ]
      : []),
    ...(lost.length > 0
      ? [
          {
            what: `${lost.join(', ')} took part and ${lost.length === 1 ? 'is' : 'are'} gone`,
            advice:
              'the events say why; start another with `lockstep worker --coordinator HOST:PORT`: the result is the same either way',
          },
        ]
      : []),
  ];
}

function reading(told: readonly Lane[]): Finding[] {
  const share = inputShare(summed(told));
  if (share < 0.05) return [];
  return [
    {
      what: `${percent(share)} of the time is spent waiting for samples to be read`,
      advice: 'make read and augment of the run cheaper, put the data nearer, or share the reading out to more workers',
    },
  ];
}

/** Of the time of steps: the wait for samples, which is a part of computing. */
export function inputShare({ compute, input = 0, wait, exchange, update }: PhaseSeconds): number {
  const total = compute + wait + exchange + update;
  return total > 0 ? input / total : 0;
}

function waiting(told: readonly Lane[]): Finding[] {
  const share = phaseShares(summed(told)).wait;
  if (told.length < 2 || share < 0.1) return [];
  const waited = told.reduce((sum, lane) => sum + lane.waitedForSeconds, 0);
  const slowest = told.reduce((most, lane) => (lane.waitedForSeconds > most.waitedForSeconds ? lane : most));
  const blame = waited > 0 ? slowest.waitedForSeconds / waited : 0;
  if (blame > 0.5 && blame > 1.5 / told.length)
    return [
      {
        what: `${slowest.worker} is slow: ${percent(blame)} of the waiting, which takes ${percent(share)} of all time, is for it`,
        advice:
          'see what else runs on its machine, and which engine it has (`lockstep engines`); or let it leave with SIGTERM',
      },
    ];
  return [
    {
      what: `${percent(share)} of the time is spent waiting, for one worker as for another`,
      advice: 'more workers than free cores, or machines that are shared: use fewer workers on each',
    },
  ];
}

function exchanging(told: readonly Lane[]): Finding[] {
  const share = phaseShares(summed(told)).exchange;
  if (told.length < 2 || share < 0.2) return [];
  return [
    {
      what: `the exchange of gradients takes ${percent(share)} of the time`,
      advice:
        'a larger --global-batch has fewer of them (the learning rate must follow), fewer workers have cheaper ones',
    },
  ];
}

function updating(told: readonly Lane[]): Finding[] {
  const share = phaseShares(summed(told)).update;
  if (share < 0.15) return [];
  return [
    {
      what: `the optimizer takes ${percent(share)} of the time: the model is large for so small a batch`,
      advice: 'raise --global-batch; every worker updates all weights, however many they are',
    },
  ];
}

/** Evaluations, checkpoints, waiting for workers. */
function outside({ report }: Picture, told: readonly Lane[]): Finding[] {
  if (!report || report.secondsTotal < 10) return [];
  const inSteps = Math.max(...told.map(({ seconds }) => phases.reduce((sum, phase) => sum + seconds[phase], 0)));
  const share = 1 - inSteps / report.secondsTotal;
  if (share < 0.25) return [];
  return [
    {
      what: `${percent(share)} of the run's ${Math.round(report.secondsTotal)} s were no steps but starting, evaluation and changes of membership`,
      advice: 'evaluate less often with --eval-every; a longer run pays its start only once',
    },
  ];
}

/** Micro-batches are what is shared out. */
function division({ facts, now }: Picture): Finding[] {
  if (!facts || !now || now.worldSize < 2) return [];
  const count = Math.ceil(now.globalBatchSize / facts.microBatchSize);
  const most = Math.ceil(count / now.worldSize);
  const lossShare = 1 - count / (most * now.worldSize);
  if (lossShare < 0.1) return [];
  return [
    {
      what: `a step has ${count} micro-batches for ${now.worldSize} workers, so that some have less to do: ${percent(lossShare)} of their time is lost`,
      advice:
        'choose a --global-batch that is a multiple of workers times --micro-batch (another micro-batch rounds sums in other places)',
    },
  ];
}

function summed(lanes: readonly Lane[]): PhaseSeconds {
  const of = (phase: Phase) => lanes.reduce((sum, { seconds }) => sum + seconds[phase], 0);
  const input = lanes.reduce((sum, { seconds }) => sum + (seconds.input ?? 0), 0);
  return { compute: of('compute'), input, wait: of('wait'), exchange: of('exchange'), update: of('update') };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
