import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { Begin } from '../../../src/cluster/messages.js';
import { Results, type ResultsNeeds } from '../../../src/coordinator/results.js';
import type { StateSnapshot } from '../../../src/transport/grpc/exchange-server.js';
import { FakeClock } from '../fake-clock.js';

const members = ['a', 'b', 'c'].map((workerId) => ({ workerId, address: `${workerId}:1` }));
const begin = { members, generation: { term: 1, number: 2 } } as unknown as Begin;

/** Results whose members hold the best weights of the steps given; those without one are gone. */
function resultsWhere(held: Readonly<Record<string, number>>) {
  const [asked, saved, warnings]: [string[], number[], string[]] = [[], [], []];
  const pullState = (address: string, _generation: unknown, { what }: { what: string }): Promise<StateSnapshot> => {
    asked.push(address);
    const step = held[address];
    if (step === undefined) return Promise.reject(new Error(`${address} is gone`));
    assert.equal(what, 'best');
    const vectors = [{ name: 'weights', values: Float32Array.of(step) }];
    return Promise.resolve({ description: JSON.stringify({ step }), vectors });
  };
  const needs = {
    spec: {},
    peers: { pullState },
    record: {},
    clock: new FakeClock(),
    log: { warn: (text: string) => warnings.push(text) },
    store: {
      saveBest: (step: number, weights: Float32Array) => {
        assert.deepEqual([...weights], [step]);
        saved.push(step);
        return Promise.resolve();
      },
    },
  } as unknown as ResultsNeeds;
  return { results: new Results(needs), asked, saved, warnings };
}

test('the best weights come from the first member that has them, whoever is gone or was away', async () => {
  const { results, asked, saved, warnings } = resultsWhere({ 'b:1': 4, 'c:1': 8 });
  results.saveBest(begin, 8);
  await turn();
  assert.deepEqual(asked, ['a:1', 'b:1', 'c:1'], 'a is gone, and b has those of an earlier evaluation');
  assert.deepEqual([saved, warnings], [[8], []]);
});

test('weights that are better still, of an evaluation that is not reported yet, are saved once', async () => {
  const { results, asked, saved } = resultsWhere({ 'a:1': 12 });
  results.saveBest(begin, 8);
  results.saveBest(begin, 12);
  await turn();
  assert.deepEqual([asked, saved], [['a:1'], [12]]);
});

test('a run goes on without best weights that nobody has, and says why', async () => {
  const { results, saved, warnings } = resultsWhere({ 'b:1': 4 });
  results.saveBest(begin, 8);
  await turn();
  assert.deepEqual(saved, []);
  assert.deepEqual(warnings, ['the best weights so far, of step 8, were not saved: c:1 is gone']);
});
