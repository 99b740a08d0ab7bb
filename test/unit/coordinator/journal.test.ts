import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Begin } from '../../../src/cluster/messages.js';
import { readJournal } from '../../../src/coordinator/journal.js';

const begin = (term: number, number: number): Begin => ({
  kind: 'begin',
  generation: { term, number },
  members: [],
  shares: [],
  donor: 0,
  afterStep: 0,
  lastStep: 9,
});
const run = { kind: 'run', spec: { runId: 'r' }, port: 7 };
async function* journalOf(...entries: unknown[]) {
  for (const entry of entries) yield await Promise.resolve(entry);
}

test('a journal says which term comes next, what ran last, and whether it has ended', async () => {
  assert.deepEqual(await readJournal(journalOf()), {
    run: undefined,
    term: 0,
    newestBegin: undefined,
    isEnded: false,
    isTold: false,
    report: undefined,
    seconds: 0,
  });
  const entries = [run, { kind: 'term', term: 1, seconds: 0 }, { ...begin(1, 1), seconds: 2 }];
  const running = await readJournal(journalOf(...entries, { kind: 'term', term: 2, seconds: 5 }));
  assert.deepEqual([running.term, running.newestBegin?.generation.number, running.isEnded], [2, 1, false]);
  assert.equal(running.seconds, 5);
  assert.equal(running.run?.port, 7);
  const end = { kind: 'end', generation: { term: 1, number: 1 }, report: { steps: 9 }, seconds: 9 };
  const ended = await readJournal(journalOf(...entries, end));
  assert.deepEqual([ended.isEnded, ended.isTold, ended.report?.steps], [true, false, 9]);
  const told = await readJournal(journalOf(...entries, end, { kind: 'told', seconds: 10 }));
  assert.deepEqual([told.isEnded, told.isTold, told.report?.steps], [true, true, 9]);
  const { report: _report, ...endBefore } = end;
  assert.ok((await readJournal(journalOf(...entries, endBefore))).isTold, 'a version that did not say so');
});

test('after a resume from a checkpoint earlier generations are nothing to go on with, but their terms count', async () => {
  const earlier = [
    run,
    { kind: 'term', term: 4, seconds: 0 },
    begin(4, 8),
    { kind: 'end', generation: { term: 4, number: 8 } },
  ];
  const {
    term,
    newestBegin,
    isEnded,
    run: newest,
  } = await readJournal(journalOf(...earlier, { ...run, resumedStep: 5 }));
  assert.deepEqual([term, newestBegin, isEnded, newest?.resumedStep], [4, undefined, false, 5]);
});
