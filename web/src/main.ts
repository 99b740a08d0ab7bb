/** The live page: follows the run by server-sent events, or shows the one picture that was frozen into it. */

import 'uplot/dist/uPlot.min.css';
import './style.css';
import { whereTimeWent } from '../../src/live/explain.js';
import type { Lane, Picture } from '../../src/live/picture.js';
import { Charts } from './charts.js';
import { byId, setText } from './dom.js';
import { offerExport } from './export.js';
import { showFindings } from './findings.js';
import { showLanes } from './lanes.js';
import { showLog } from './log.js';
import { showMembers } from './members.js';
import { merge } from './merge.js';
import { showFacts, showNumbers } from './numbers.js';

const charts = new Charts();
let picture: Picture | undefined;
let isConnected = true;

function show(): void {
  if (!picture) return;
  showNumbers(picture, isConnected);
  const lanes = picture.lanes.toSorted(byPlace);
  setText(byId('where-words'), whereTimeWent(lanes));
  showFindings(picture);
  showLanes(lanes);
  charts.show(picture);
  showMembers(lanes, picture);
  showLog(picture.log);
  showFacts(picture);
  document.body.dataset['step'] = String(picture.now?.step ?? 0);
  document.body.dataset['state'] = picture.state;
}

/** Those that are here by rank, then those that are gone. */
function byPlace(a: Lane, b: Lane): number {
  return (a.rank ?? 1e9) - (b.rank ?? 1e9) || a.worker.localeCompare(b.worker);
}

function follow(): void {
  const source = new EventSource('/api/live');
  source.addEventListener('picture', (event) => {
    isConnected = true;
    picture = merge(picture, JSON.parse((event as MessageEvent<string>).data) as Picture);
    show();
  });
  source.addEventListener('end', () => source.close()); //           nothing more will come, and nobody to ask
  source.addEventListener('error', () => {
    isConnected = source.readyState === EventSource.OPEN;
    show();
  });
}

offerExport(() => picture);
const frozen = byId('picture').textContent;
if (frozen) {
  picture = JSON.parse(frozen) as Picture;
  show();
} else {
  follow();
}
