import type { SweepReport } from '../../src/lab/report-form.js';
import { tableOf } from '../../src/lab/table.js';
import { figuresOf } from './figures.js';
import './style.css';

const report = JSON.parse(byId('report').textContent) as SweepReport;
byId('command').append(element('code', report.command));

const words = byId('words');
for (const finding of report.findings) words.append(...finding.words.map((line) => element('p', line)));
if (report.checks.length > 0) {
  const list = document.createElement('ul');
  for (const { claim, holds, evidence } of report.checks) {
    const verdict = holds === undefined ? 'cannot be said' : holds ? 'holds' : 'does not hold';
    const item = element('li', `${claim}: `);
    const strong = element('strong', verdict);
    strong.className = holds === undefined ? '' : holds ? 'good' : 'bad';
    item.append(strong, ` (${evidence})`);
    list.append(item);
  }
  words.append(element('h2', 'The conclusions of the original experiment'), list);
}
words.append(...report.notes.map((note) => element('p', note)));

for (const { id, title, about, drawing } of figuresOf(report)) {
  const figure = document.createElement('figure');
  figure.id = id;
  drawing.setAttribute('role', 'img');
  drawing.setAttribute('aria-label', `${title}. ${about}`);
  for (const part of drawing.querySelectorAll('[aria-label], [aria-description]')) {
    part.removeAttribute('aria-label'); //                             the picture has one name, and its parts have none
    part.removeAttribute('aria-description');
  }
  const caption = element('figcaption', about);
  figure.append(element('h2', title), drawing, caption);
  byId('figures').append(figure);
}

const { heading, rows } = tableOf(report.cells);
const table = byId('table');
const head = document.createElement('thead');
head.append(rowOf(heading, 'th'));
const body = document.createElement('tbody');
body.append(...rows.map((row) => rowOf(row, 'td')));
table.append(head, body);

function rowOf(texts: readonly string[], kind: 'th' | 'td'): HTMLElement {
  const row = document.createElement('tr');
  row.append(...texts.map((text) => element(kind, text)));
  return row;
}

function element(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}
