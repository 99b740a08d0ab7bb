/** The text form of a schedule: a kind, then a colon and its settings: `step:every=2epochs,factor=0.5`. */
import { didYouMean } from '../core/nearest.js';
import { fault } from './faults.js';
import type { Schedule, Span } from './schedule.js';

/** What may be written, for help texts and documentation. */
export const scheduleForms: readonly { readonly form: string; readonly about: string }[] = [
  { form: 'constant', about: 'The learning rate stays.' },
  { form: 'cosine:floor=0', about: 'Half a cosine from the learning rate down to `floor` times it.' },
  {
    form: 'one-cycle:rise=0.3,startDivisor=25,endDivisor=10000',
    about:
      'Rises from 1/startDivisor of the learning rate over the first `rise` of the run, then falls to 1/endDivisor of where it started; both along a cosine.',
  },
  {
    form: 'step:every=2epochs,factor=0.1',
    about: 'Times `factor` after each `every`, in epochs or samples; `every` must be given.',
  },
];

interface Setting<Value> {
  readonly expects: string;
  /** Undefined where the text is not a value. */
  readonly read: (text: string) => Value | undefined;
}

const numberForm = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function numberIn(expects: string, isInRange: (value: number) => boolean): Setting<number> {
  return {
    expects,
    read: (text) => (numberForm.test(text) && isInRange(Number(text)) ? Number(text) : undefined),
  };
}

const share = numberIn('a number above 0 and below 1', (v) => v > 0 && v < 1);
const divisor = numberIn('a number of at least 1', (v) => v >= 1 && v < Infinity);
const growthFactor = numberIn('a number above 1', (v) => v > 1 && v < Infinity);
const span: Setting<Span> = {
  expects: 'a number of epochs or samples, such as 2epochs or 50000samples',
  read(text) {
    const [, count = '', unit] = /^(\d+(?:\.\d+)?)(epoch|sample)s?$/.exec(text) ?? [];
    return Number(count) > 0 ? { count: Number(count), unit: unit === 'epoch' ? 'epochs' : 'samples' } : undefined;
  },
};

/** @throws LockstepError `INVALID_SCHEDULE`, which names what is wrong */
export function parseSchedule(schedule: string): Schedule {
  const [kind = '', ...rest] = schedule.split(':');
  const settings = new SettingsReader(schedule, kind, rest.join(':'));
  const parsed = settings.schedule();
  settings.expectNothingLeft();
  return parsed;
}

/**
 * The text form of a batch that grows: `every=2epochs,factor=2`.
 *
 * @throws LockstepError `INVALID_SCHEDULE`
 */
export function parseBatchGrowth(text: string): { readonly every: Span; readonly factor: number } {
  const settings = new SettingsReader(text, 'growth', text);
  const growth = settings.growth();
  settings.expectNothingLeft();
  return growth;
}

class SettingsReader {
  private readonly given = new Map<string, string>();
  private readonly known: string[] = [];

  constructor(
    private readonly text: string,
    private readonly kind: string,
    settings: string,
  ) {
    for (const pair of settings === '' ? [] : settings.split(',')) {
      const [key = '', value, ...more] = pair.split('=');
      if (value === undefined || more.length > 0) throw this.invalid(`${pair} is not key=value`);
      if (this.given.has(key)) throw this.invalid(`${key} is given twice`);
      this.given.set(key, value);
    }
  }

  schedule(): Schedule {
    switch (this.kind) {
      case 'constant':
        return { kind: 'constant' };
      case 'cosine':
        return {
          kind: 'cosine',
          floor: this.take(
            'floor',
            numberIn('a number from 0 to 1', (v) => v >= 0 && v <= 1),
            0,
          ),
        };
      case 'one-cycle':
        return {
          kind: 'one-cycle',
          rise: this.take('rise', share, 0.3),
          startDivisor: this.take('startDivisor', divisor, 25),
          endDivisor: this.take('endDivisor', divisor, 1e4),
        };
      case 'step':
        return { kind: 'step', every: this.take('every', span), factor: this.take('factor', share, 0.1) };
      default: {
        const kinds = ['constant', 'cosine', 'one-cycle', 'step'];
        throw this.invalid(`no such schedule${didYouMean(this.kind, kinds) || `; there are ${kinds.join(', ')}`}`);
      }
    }
  }

  growth(): { readonly every: Span; readonly factor: number } {
    return { every: this.take('every', span), factor: this.take('factor', growthFactor, 2) };
  }

  expectNothingLeft(): void {
    const [unknown] = this.given.keys();
    if (unknown === undefined) return;
    const takes = this.known.length === 0 ? 'no settings' : this.known.join(', ');
    throw this.invalid(`${this.kind} has no setting ${unknown}; it takes ${takes}`);
  }

  private take<Value>(key: string, setting: Setting<Value>, defaultValue?: Value): Value {
    this.known.push(key);
    const text = this.given.get(key);
    this.given.delete(key);
    if (text === undefined && defaultValue === undefined) throw this.invalid(`${key} is missing: ${setting.expects}`);
    const value = text === undefined ? defaultValue : setting.read(text);
    if (value === undefined) throw this.invalid(`${key}=${text} must be ${setting.expects}`);
    return value;
  }

  private invalid(reason: string) {
    return fault('INVALID_SCHEDULE', { schedule: this.text, reason });
  }
}
