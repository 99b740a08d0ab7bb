import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Housekeeping } from '../../../src/agent/housekeeping.js';
import type { PrunedRecord, RunRecord } from '../../../src/transport/nats/run-ledger.js';
import { FakeClock } from '../fake-clock.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-housekeeping-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('keys go when a run is over and nothing of it runs here, the rest when it was pruned', async () => {
  const clock = new FakeClock();
  const pruned = new Map<string, PrunedRecord>();
  const get = (key: string) => {
    const value = pruned.get(key);
    return Promise.resolve(value && { key, value, revision: 1 });
  };
  const ledger = { pruned: { get } } as unknown as ConstructorParameters<typeof Housekeeping>[0]['ledger'];
  const housekeeping = new Housekeeping({ clock, ledger, log: { info: () => undefined } }, folder);
  for (const run of ['over', 'over-2', 'going', 'lost'])
    for (const what of ['certs', 'out', 'out-2']) {
      mkdirSync(join(folder, `${run}.${what}`));
      writeFileSync(join(folder, `${run}.${what}`, 'file'), 'x');
    }
  for (const name of ['over.coordinator.log', 'over.worker-1.log', 'of-somebody-else.txt'])
    writeFileSync(join(folder, name), '');
  const state = (name: string, state: string) => [name, { name, state }] as unknown as [string, RunRecord];
  const runs = new Map([state('over', 'finished'), state('over-2', 'stopped'), state('going', 'running')]);
  const there = (ending: string): readonly string[] => readdirSync(folder).filter((name) => name.endsWith(ending));

  await housekeeping.tend(runs, new Set(['over-2']));
  assert.deepEqual(
    there('.certs'),
    ['going.certs', 'over-2.certs'],
    'that of lost comes from NATS again, if it goes on',
  );
  await housekeeping.tend(runs, new Set());
  assert.deepEqual(there('.certs'), ['going.certs']);
  assert.deepEqual(there('.out-2'), ['going.out-2', 'lost.out-2', 'over-2.out-2', 'over.out-2']);

  for (const name of ['over', 'going']) pruned.set(name, { atMs: 0 });
  runs.delete('over');
  clock.advance(10_000);
  await housekeeping.tend(runs, new Set());
  assert.deepEqual(
    there('.out-2'),
    ['going.out-2', 'lost.out-2', 'over-2.out-2'],
    'a new run may have the name of a pruned one',
  );
  assert.deepEqual(there('.log'), []);
  assert.deepEqual(there('.txt'), ['of-somebody-else.txt']);
});
