import type { PublicEvent } from '../../src/live/public-events.js';
import { byId, keyed, make, setText } from './dom.js';
import { grouped, listed, percent, plural, significant } from './format.js';

/** The newest events first; important ones are also said to a screen reader, once. */
export function showLog(events: readonly PublicEvent[]): void {
  const newestFirst = events.filter((event) => !isToldTwice(event)).reverse();
  const place = byId('log');
  const isFirst = place.childElementCount === 0;
  let announced = '';
  keyed(
    place,
    newestFirst,
    ({ sequence }) => String(sequence),
    (event) => {
      const entry = make('li', isAlert(event) ? 'alert' : '');
      const time = make('time', 'quiet', event.time.slice(11, 19));
      time.dateTime = event.time;
      entry.append(time, make('span', '', eventInWords(event)));
      if (!isFirst && ['alert', 'evaluation', 'left', 'finished', 'failed'].includes(event.type))
        announced = eventInWords(event);
      return entry;
    },
  );
  if (announced) setText(byId('announce'), announced);
}

function isAlert(event: PublicEvent): boolean {
  return event.type === 'alert' || event.type === 'failed' || (event.type === 'left' && event.cause !== 'leave');
}

/** A worker that is lost is an event and an alert: a person needs one line. */
function isToldTwice(event: PublicEvent): boolean {
  return event.type === 'alert' && event.name === 'worker-lost';
}

function metricsInWords(metrics: Readonly<Record<string, number>> = {}): string {
  return Object.entries(metrics)
    .map(([name, value]) => `, ${name} ${significant(value)}`)
    .join('');
}

export function eventInWords(event: PublicEvent): string {
  switch (event.type) {
    case 'started':
      return `Training of ${event.model} begins on ${plural(event.worldSize, 'worker')}, engine ${event.engine}.`;
    case 'restored':
      return `This coordinator took over after step ${grouped(event.step)}.`;
    case 'resumed':
      return `The run goes on after step ${grouped(event.step)}.`;
    case 'waiting':
      return `Waiting: ${event.joined} of ${event.needed} workers are here.`;
    case 'joined':
      return `${event.worker} came, from ${event.host}.`;
    case 'left':
      return `${event.worker} is gone: ${event.reason}.`;
    case 'generation':
      return `Generation ${event.generation} after step ${grouped(event.step)}: ${listed(event.members)}.`;
    case 'steps':
      return `Steps ${grouped(event.firstStep)} to ${grouped(event.lastStep)}.`;
    case 'evaluation':
      return `Test ${event.testAccuracy === null ? '' : `accuracy ${percent(event.testAccuracy)}, `}loss ${significant(event.testLoss)}${metricsInWords(event.metrics)} after step ${grouped(event.step)}${event.best ? ', the best so far' : ''}.`;
    case 'checkpoint':
      return `Checkpoint of step ${grouped(event.step)}, in ${significant(event.seconds, 2)} s.`;
    case 'alert':
      return `Step ${grouped(event.step)}: ${event.text}.`;
    case 'stopping':
      return `Stopping: ${event.reason}.`;
    case 'finished':
      return `Finished after ${plural(event.steps, 'step')}${event.testAccuracy === null ? '' : `, test accuracy ${percent(event.testAccuracy)}`}.`;
    case 'failed':
      return `Failed: ${event.message}.`;
  }
}
