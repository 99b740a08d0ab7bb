/** One of several trainings at a time: it trains as its parent says, tells how long each step took, and ends. */
import type { CoordinatorConfig } from '../config/index.js';
import { systemClock } from '../core/clock.js';
import { SharedData } from './shared-data.js';
import { runTrial } from './trial.js';
import type { StepTimes } from './side-by-side.js';

export interface ToNeighbour {
  readonly config: CoordinatorConfig;
  readonly secondsMax: number;
}

export type FromNeighbour = { readonly steps: readonly StepTimes[] } | { readonly error: string };

const tell = (message: FromNeighbour): void => void process.send!(message);

process.on('disconnect', () => process.exit());
process.on('message', ({ config, secondsMax }: ToNeighbour) => {
  const steps: StepTimes[] = [];
  const onStep = ({ compute, wait, exchange, update }: { readonly [K in StepPart]: number }): void => {
    steps.push({ compute, beside: wait + exchange + update });
  };
  const needs = { data: new SharedData(), threads: 1, nowMs: () => systemClock.nowMs(), onStep };
  const rules = { patience: { samples: 0, chance: 0 }, secondsMax };
  runTrial(config, 'side by side', rules, needs).then(
    () => tell({ steps }),
    (error: unknown) => tell({ error: error instanceof Error ? error.message : String(error) }),
  );
});

type StepPart = 'compute' | 'wait' | 'exchange' | 'update';
