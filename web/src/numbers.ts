import type { Picture } from '../../src/live/picture.js';
import { byId, keyed, make, setText } from './dom.js';
import { duration, grouped, percent, plural, significant } from './format.js';

const states = {
  waiting: 'Waiting for workers',
  training: 'Training',
  stopping: 'Stopping',
  finished: 'Finished',
  failed: 'Failed',
};

/** The head of the page: which run, how far, and the numbers of now. */
export function showNumbers(picture: Picture, isConnected: boolean): void {
  const { facts, now, report, state, reason, runId } = picture;
  setText(byId('model'), facts?.model ?? 'Lockstep');
  setText(byId('run-id'), runId);
  const isLost = !isConnected && report === null && state !== 'failed';
  const words = report?.outcome === 'interrupted' ? 'Interrupted and saved' : states[state];
  setText(byId('state'), isLost ? 'The coordinator does not answer' : reason ? `${words}: ${reason}` : words);
  byId('state').className = `state ${isLost ? 'failed' : state}`;
  document.title = `${now && facts ? `${Math.floor((now.step / facts.stepsTotal) * 100)} % · ` : ''}${facts?.model ?? 'Lockstep'} · ${states[state]}`;
  showProgress(picture);
  const hasAccuracy = facts?.hasAccuracy ?? true;
  const rows: [string, string, string][] = [
    [
      'images/s',
      grouped(report?.imagesPerSecond ?? now?.imagesPerSecond ?? 0),
      report ? 'over the whole run' : 'last 50 steps',
    ],
    testedRow(picture),
    ...metricRows(picture),
    ['Training loss', significant(now?.loss), hasAccuracy ? `accuracy ${percent(now?.accuracy, 1)}` : ''],
    ['Workers', grouped(now?.worldSize ?? 0), now ? `generation ${now.generation}` : ''],
    ['Learning rate', significant(now?.learningRate), `batch of ${grouped(now?.globalBatchSize ?? 0)}`],
    [
      'Gradient norm',
      significant(now?.gradientNorm, 3),
      picture.skippedSteps > 0 ? `${plural(picture.skippedSteps, 'step')} skipped` : 'no step skipped',
    ],
  ];
  const cells = keyed(
    byId('numbers'),
    rows,
    ([name]) => name,
    ([name]) => {
      const cell = make('div');
      cell.append(make('dt', '', name), make('dd', 'value'), make('dd', 'quiet'));
      return cell;
    },
  );
  cells.forEach((cell, i) => {
    const [, value, note] = rows[i] as [string, string, string];
    setText(cell.children[1] as HTMLElement, value);
    setText(cell.children[2] as HTMLElement, note);
  });
}

/** What the run is judged by: accuracy where there is one, else loss. */
function testedRow({ facts, evaluations }: Picture): [string, string, string] {
  const [test, best] = [evaluations.at(-1), evaluations.findLast((evaluation) => evaluation.best)];
  const isLoss = facts?.hasAccuracy === false;
  const inWords = (evaluation: typeof test) =>
    isLoss ? significant(evaluation?.testLoss) : percent(evaluation?.testAccuracy);
  const note = best ? `best ${inWords(best)}` : 'not evaluated yet';
  return [isLoss ? 'Test loss' : 'Test accuracy', inWords(test), note];
}

function metricRows({ evaluations }: Picture): [string, string, string][] {
  const metrics = Object.entries(evaluations.at(-1)?.metrics ?? {});
  return metrics.map(([name, value]) => [name, significant(value), 'on the test set']);
}

function showProgress({ facts, now, report }: Picture): void {
  const bar = byId('progress');
  const share = facts && now ? Math.min(1, now.step / facts.stepsTotal) : 0;
  bar.setAttribute('aria-valuenow', String(Math.round(share * 100)));
  byId('progress-bar').style.width = `${share * 100}%`;
  if (!facts || !now) return setText(byId('progress-words'), '');
  const left = ((facts.stepsTotal - now.step) * now.globalBatchSize) / now.imagesPerSecond;
  const end = report ? `took ${duration(report.secondsTotal)}` : Number.isFinite(left) ? `${duration(left)} left` : '';
  const parts = [
    `step ${grouped(now.step)} of ${grouped(facts.stepsTotal)}`,
    `epoch ${now.epoch + 1} of ${facts.epochsTotal}`,
    end,
  ];
  setText(byId('progress-words'), parts.filter(Boolean).join(' · '));
}

/** Result and configuration, as tables of names and values. */
export function showFacts({ report, facts, config }: Picture): void {
  byId('report').hidden = report === null;
  if (report) showTable('report', report as unknown as Record<string, unknown>);
  showTable('config', { ...(facts ? { parameterCount: facts.parameterCount, engine: facts.engine } : {}), ...config });
}

function showTable(id: string, values: Readonly<Record<string, unknown>>): void {
  const body = byId(id).querySelector('tbody') as HTMLElement;
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  const rows = keyed(
    body,
    entries,
    ([name]) => name,
    ([name]) => {
      const row = make('tr');
      const head = make('th', '', name);
      head.scope = 'row';
      row.append(head, make('td'));
      return row;
    },
  );
  rows.forEach((row, i) => {
    const [, value] = entries[i] as [string, unknown];
    setText(row.children[1] as HTMLElement, typeof value === 'object' ? JSON.stringify(value) : String(value));
  });
}
