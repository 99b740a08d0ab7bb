import { join } from 'node:path';
import { systemClock } from '../../core/clock.js';
import type { FlagValues } from '../../config/sources.js';
import { fault } from '../../lab/faults.js';
import { withPreset, presets, type Preset, type PresetName } from '../../lab/presets.js';
import { sweepReport, writeSweepReport } from '../../lab/sweep-report.js';
import { planSweep, runSweep } from '../../lab/sweep.js';
import { TrialLog } from '../../lab/trial-log.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';
import { eventsTo, number, placeOf, wholeNumber, withTraining, type PlaceFlags, type Print } from '../lab-options.js';
import { shellWord } from '../shell-word.js';

/** Accuracy that guessing reaches with ten classes. */
const chance = 0.1;

export interface SweepFlags extends PlaceFlags {
  readonly preset?: string;
  readonly out?: string;
  readonly targetAccuracy?: string;
  readonly beyondTarget?: boolean;
  readonly seeds?: string;
  readonly patience?: string;
  readonly trialSeconds?: string;
  readonly seconds?: string;
  readonly json?: boolean;
}

/** `lockstep sweep` */
export async function run(flags: SweepFlags, given: FlagValues, context: CommandContext): Promise<void> {
  const { stdout, argv, environment } = context;
  const place = placeOf(flags);
  const preset = presetOf(flags.preset);
  const targets = targetsIn(flags.targetAccuracy ?? preset?.targets ?? '0.97,0.98,0.99');
  const grid: FlagValues = new Map([
    ...withPreset(preset, given),
    ...(flags.seeds === undefined ? [] : [['seed', firstSeeds(wholeNumber('--seeds', flags.seeds))] as const]),
  ]);
  const isBeyond = flags.beyondTarget ?? preset?.beyondTarget ?? false;
  const planned = planSweep(grid, environment, isBeyond ? undefined : Math.max(...targets));
  const rules = {
    patience: { samples: number('--patience', flags.patience ?? '25000'), chance },
    secondsMax: flags.trialSeconds === undefined ? undefined : number('--trial-seconds', flags.trialSeconds),
  };
  const options = {
    rules,
    secondsMax: flags.seconds === undefined ? undefined : number('--seconds', flags.seconds),
  };
  const out = flags.out ?? 'sweep';
  const log = await TrialLog.open(out);
  try {
    const print: Print = (line, text) => void stdout.write(flags.json ? `${JSON.stringify(line)}\n` : text);
    const nowMs = (): number => systemClock.nowMs();
    const events = eventsTo(print, planned.length);
    const records = await withTraining(place, context, ({ train, slots }) =>
      runSweep(planned, { ...options, slots }, { train, nowMs, log, events }),
    );
    if (records.length === 0) return;
    const report = sweepReport(records, {
      targets,
      planned: planned.length,
      command: `lockstep ${argv.map(shellWord).join(' ')}`,
      preset: flags.preset,
      secondsMax: rules.secondsMax,
    });
    await writeSweepReport(out, report);
    print({ type: 'result', ...report }, `${report.text}\n${join(out, 'sweep.html')} has the curves.\n`);
  } finally {
    await log.close();
  }
}

function presetOf(name: string | undefined): Preset | undefined {
  if (name === undefined) return undefined;
  if (!(name in presets))
    throw cliFault('BAD_CHOICE', { flag: '--preset', given: name, choices: Object.keys(presets).join(', ') });
  return presets[name as PresetName];
}

/** @throws LockstepError `TARGET_INVALID` */
function targetsIn(given: string): readonly number[] {
  const targets = given.split(',').map(Number);
  if (!targets.every((target) => target > 0 && target <= 1)) throw fault('TARGET_INVALID', { given });
  return targets;
}

function firstSeeds(count: number): string {
  return Array.from({ length: count }, (_, i) => i + 1).join(',');
}
