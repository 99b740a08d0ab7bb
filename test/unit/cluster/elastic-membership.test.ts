import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginOf, play, restarted, running } from './coordinator-play.js';

const elastic = { worldSize: 2, minWorkers: 2, lastStep: 10 };

describe('joining a run', () => {
  test('a joiner is sealed with the members and named; its state 0 counts for nothing', () => {
    const c = running(1);
    assert.deepEqual(c.feed(c.join('c')), ['seal 2 to a', 'seal 2 to b', 'seal 2 to c']);
    c.feed(c.sealed('c', 2, 0));
    c.feed(c.sealed('a', 2, 4));
    assert.deepEqual(c.feed(c.sealed('b', 2, 5)), ['journal begin 2: a,b,c, donor 1']);
  });

  test('joiners that come during a Seal are asked by it, those that come while it is journaled by the next', () => {
    const c = running(1);
    c.feed(c.join('c'));
    assert.deepEqual(c.feed(c.join('d')), ['seal 2 to d']);
    for (const name of ['a', 'b', 'c', 'd']) c.feed(c.sealed(name, 2, name < 'c' ? 3 : 0));
    assert.equal(c.state.phase, 'journaling');
    assert.deepEqual(c.feed(c.join('e')), []);
    assert.deepEqual(
      c.feed({ kind: 'appended' }).slice(4),
      ['a', 'b', 'c', 'd', 'e'].map((name) => `seal 3 to ${name}`),
    );
  });

  test('beyond maxWorkers they wait for a place', () => {
    const c = play({ worldSize: 2, minWorkers: 1, maxWorkers: 2, lastStep: 10 });
    for (const name of ['a', 'b']) c.feed(c.join(name));
    for (const name of ['a', 'b']) c.feed(c.sealed(name, 1, 0));
    c.feed({ kind: 'appended' });
    assert.deepEqual(c.feed(c.join('c')), []);
    assert.deepEqual(c.feed(c.lost('a')), ['seal 2 to b', 'seal 2 to c']);
  });

  test('when only a joiner that has not caught up is left, the run has lost its state and says so', () => {
    const c = running(1);
    c.feed(c.join('c'));
    for (const [name, step] of [
      ['a', 5],
      ['b', 5],
      ['c', 0],
    ] as const)
      c.feed(c.sealed(name, 2, step));
    c.feed({ kind: 'appended' });
    c.feed(c.lost('a'));
    assert.deepEqual(c.feed(c.lost('b')), []);
    assert.deepEqual(c.feed(c.sealed('c', 3, 0)), ['fail NO_STATE_LEFT']);
  });
});

describe('too few left', () => {
  /** Three workers of which two must be left; one is. */
  function waiting() {
    const c = play({ ...elastic });
    for (const name of ['a', 'b']) c.feed(c.join(name));
    for (const name of ['a', 'b']) c.feed(c.sealed(name, 1, 0));
    c.feed({ kind: 'appended' });
    assert.deepEqual(c.feed(c.lost('b')), ['seal 2 to a']);
    assert.deepEqual(c.feed(c.sealed('a', 2, 6)), [
      'waiting after step 6 for 1 more to join: 1 of at least 2 workers are left',
    ]);
    assert.equal(c.state.phase, 'waiting');
    return c;
  }

  test('those that are left keep their state, and a joiner lets the run go on from it', () => {
    const c = waiting();
    assert.deepEqual(c.feed(c.join('c')), ['seal 3 to a', 'seal 3 to c']);
    c.feed(c.sealed('c', 3, 0));
    assert.deepEqual(c.feed(c.sealed('a', 3, 6)), ['journal begin 3: a,c, donor 0']);
    assert.deepEqual(c.feed({ kind: 'appended' }), [
      'begin 3 to a: after 6 until 10',
      'begin 3 to c: after 6 until 10',
    ]);
  });

  test('one that was given up too early is taken back, with its state', () => {
    const c = waiting();
    assert.deepEqual(c.feed(c.greet('b', [1, 1], [1, 1], 7)), ['seal 3 to a', 'seal 3 to b']);
    c.feed(c.sealed('a', 3, 6));
    assert.deepEqual(c.feed(c.sealed('b', 3, 7)), ['journal begin 3: a,b, donor 1']);
  });

  test('a stop ends the run with those that are left', () => {
    const c = waiting();
    assert.deepEqual(c.feed({ kind: 'stop' }), ['seal 3 to a']);
    assert.deepEqual(c.feed(c.sealed('a', 3, 6)), ['journal begin 3: a, donor 0']);
    assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 3 to a: after 6 until 6']);
  });

  test('the last one is lost too: by its death for good, by its silence until it is back (rule 13)', () => {
    assert.deepEqual(waiting().feed({ kind: 'lost', workerId: 'a', reason: 'killed' }), ['fail NO_STATE_LEFT']);
    const c = waiting();
    assert.deepEqual(c.feed(c.lost('a', true)), ['waiting for worker a: nobody else holds the training state']);
    assert.deepEqual(c.feed(c.greet('a', [0, 0], [1, 2], 6)), ['seal 3 to a']);
  });
});

describe('leaving', () => {
  test('a leaver is sealed with the others and goes at the Begin that leaves it out (rule 9)', () => {
    const c = running(1);
    assert.deepEqual(c.feed(c.leaving('b')), ['seal 2 to a', 'seal 2 to b']);
    c.feed(c.sealed('a', 2, 5));
    assert.deepEqual(c.feed(c.sealed('b', 2, 5)), ['journal begin 2: a, donor 0']);
    assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 2 to a: after 5 until 10', 'b left']);
  });

  test('one that alone holds the newest state stays until all are level', () => {
    const c = running(1);
    c.feed(c.leaving('b'));
    c.feed(c.sealed('a', 2, 4));
    assert.deepEqual(c.feed(c.sealed('b', 2, 5)), ['journal begin 2: a,b, donor 1']);
    assert.equal(c.feed({ kind: 'appended' }).length, 2);
    assert.deepEqual(c.feed(c.progress('b', 2, 5)), []);
    assert.deepEqual(c.feed(c.progress('a', 2, 6)), ['seal 3 to a', 'seal 3 to b']);
    c.feed(c.sealed('a', 3, 6));
    assert.deepEqual(c.feed(c.sealed('b', 3, 6)), ['journal begin 3: a, donor 0']);
  });

  test('nobody is left: it stays until somebody takes over', () => {
    const c = running(1);
    c.feed(c.lost('a'));
    c.feed(c.sealed('b', 2, 5));
    c.feed({ kind: 'appended' });
    assert.deepEqual(c.feed(c.leaving('b')), [], 'the donor stays until all are level');
    assert.deepEqual(c.feed(c.progress('b', 2, 6)), ['seal 3 to b']);
    assert.deepEqual(c.feed(c.sealed('b', 3, 6)), [
      'waiting after step 6 for 1 more to join: 0 of at least 1 workers are left; worker b alone holds the state and stays',
    ]);
    assert.deepEqual(c.feed(c.join('c')), ['seal 4 to b', 'seal 4 to c']);
    c.feed(c.sealed('c', 4, 0));
    assert.deepEqual(c.feed(c.sealed('b', 4, 6)), ['journal begin 4: b,c, donor 0']);
  });

  test('before the run, and from among those who wait for a place, it goes at once', () => {
    const c = play(elastic);
    c.feed(c.join('a'));
    assert.deepEqual(c.feed(c.leaving('a')), ['a left']);
    assert.equal(c.state.joiners.length, 0);
  });
});

describe('a restarted coordinator (rules 11 and 12)', () => {
  const before = beginOf(3, ['a', 'b'], 4);

  test('says nothing before its term is in the journal, then announces the newest Begin to those who greet', () => {
    const c = restarted(elastic, before);
    assert.deepEqual(c.feed(c.greet('a', [1, 3], [1, 3], 5)), []);
    assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 3 to a: after 4 until 10']);
    assert.deepEqual(c.feed(c.greet('b', [1, 3], [1, 3], 6)), ['begin 3 to b: after 4 until 10']);
    assert.deepEqual(
      c.feed(c.join('c')),
      ['a', 'b', 'c'].map((name) => `seal 4 to ${name}`),
    );
  });

  test('seals everybody where what they exchanged through was the hub of its predecessor', () => {
    const c = restarted({ ...elastic, sealsAtTerm: true }, before);
    c.feed(c.greet('a', [1, 3], [1, 3], 5));
    assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 3 to a: after 4 until 10', 'seal 4 to a', 'seal 4 to b']);
    assert.deepEqual(c.feed(c.greet('b', [1, 3], [1, 3], 6)), ['seal 4 to b']);
  });

  test('seals everybody when somebody has answered a Seal whose Begin never came', () => {
    const c = restarted(elastic, before);
    c.feed({ kind: 'appended' });
    c.feed(c.greet('a', [1, 3], [1, 3], 5));
    assert.deepEqual(c.feed(c.greet('b', [0, 0], [1, 4], 6)), ['seal 4 to a', 'seal 4 to b']);
    assert.deepEqual(c.state.seal?.generation, { term: 2, number: 4 });
  });

  test('seals everybody when a late Seal of its predecessor has been answered', () => {
    const c = restarted(elastic, before);
    c.feed({ kind: 'appended' });
    for (const name of ['a', 'b']) c.feed(c.greet(name, [1, 3], [1, 3], 5));
    const generation = { term: 1, number: 4 };
    const message = { kind: 'sealed', workerId: 'a', generation, finishedStep: 5, hasState: true } as const;
    assert.deepEqual(c.feed({ kind: 'message', message }), ['seal 4 to a', 'seal 4 to b']);
  });

  test('goes on without a member that never greets', () => {
    const c = restarted({ ...elastic, minWorkers: 1 }, before);
    c.feed({ kind: 'appended' });
    c.feed(c.greet('a', [1, 3], [1, 3], 5));
    assert.deepEqual(c.feed(c.lost('b')), ['seal 4 to a']);
  });

  test('hears of the end from those who greet, and stores the result', () => {
    const c = restarted(elastic, before);
    c.feed({ kind: 'appended' });
    c.feed(c.greet('a', [1, 3], [1, 3], 10, 'x'));
    assert.deepEqual(c.feed(c.greet('b', [1, 3], [1, 3], 10, 'x')), ['store 10 from a']);
  });

  test('after the End it only sends home', () => {
    const c = restarted(elastic, before, true);
    c.feed(c.greet('a', [1, 3], [1, 3], 10, 'x'));
    assert.deepEqual(c.feed({ kind: 'appended' }), ['finish', 'end 3 to a']);
    assert.deepEqual(c.feed(c.greet('b', [1, 3], [1, 3], 10, 'x')), ['end 3 to b']);
  });

  test('remembers that the run was being stopped', () => {
    const c = restarted({ ...elastic, minWorkers: 1 }, beginOf(3, ['a', 'b'], 4, 4));
    c.feed({ kind: 'appended' });
    c.feed(c.lost('b'));
    c.feed(c.sealed('a', 4, 4));
    assert.deepEqual(c.feed({ kind: 'appended' }), ['begin 4 to a: after 4 until 4']);
  });

  test('before the first Begin it gathers again, and has workers of the old gathering come anew', () => {
    const c = restarted(elastic, undefined);
    c.feed({ kind: 'appended' });
    assert.deepEqual(c.feed(c.greet('a', [0, 0], [1, 1], 0)), ['a dropped']);
    c.feed(c.join('a2'));
    assert.deepEqual(c.feed(c.join('b2')), ['seal 1 to a2', 'seal 1 to b2']);
  });

  test('one that was replaced itself steps down', () => {
    const c = running(1);
    assert.deepEqual(c.feed(c.greet('a', [1, 1], [2, 2], 5)), ['fail DEPOSED']);
  });
});

describe('streams that break', () => {
  test('who is back is told what it owes: a Seal, a Begin, an End; a stranger is dropped (rule 14)', () => {
    const c = running(1);
    assert.deepEqual(c.feed(c.greet('a', [1, 1], [1, 1], 3)), ['begin 1 to a: after 0 until 10']);
    assert.deepEqual(c.feed(c.greet('z', [1, 1], [1, 1], 3)), ['z dropped']);
    c.feed(c.join('c'));
    assert.deepEqual(c.feed(c.join('c')), ['seal 2 to c']);
    c.feed(c.sealed('a', 2, 3));
    assert.deepEqual(c.feed(c.greet('a', [0, 0], [1, 2], 3)), []);
    assert.deepEqual(c.feed(c.greet('b', [1, 1], [1, 1], 3)), ['seal 2 to b']);
  });

  test('a report that was overtaken by a greeting changes nothing', () => {
    const c = running(1);
    c.feed(c.greet('a', [1, 1], [1, 1], 10, 'x'));
    c.feed(c.progress('a', 1, 9));
    c.feed(c.progress('a', 1, 10));
    assert.deepEqual(c.feed(c.progress('b', 1, 10, 'x')), ['store 10 from a']);
  });

  test('a tick repeats what has not been answered, and nothing else (rule 5)', () => {
    const c = running(1);
    c.feed(c.progress('a', 1, 1));
    assert.deepEqual(c.feed({ kind: 'tick' }), [], 'it has only just been told');
    assert.deepEqual(c.feed({ kind: 'tick' }), ['begin 1 to b: after 0 until 10']);
    const later = Array.from({ length: 62 }, () => c.feed({ kind: 'tick' }).length);
    assert.equal(later.filter((count) => count === 1).length, 5, 'ever less often');
    c.feed(c.progress('b', 1, 1));
    assert.deepEqual(c.feed({ kind: 'tick' }), []);
    c.feed({ kind: 'stop' });
    c.feed(c.sealed('b', 2, 1));
    c.feed({ kind: 'tick' });
    assert.deepEqual(c.feed({ kind: 'tick' }), ['seal 2 to a']);
  });

  test('the only one with the final state is silent: it is asked again when it is back', () => {
    const c = running(1);
    for (const name of ['a', 'b']) c.feed(c.progress(name, 1, 10, 'x'));
    assert.deepEqual(c.feed(c.lost('a', true)), ['store 10 from b']);
    assert.deepEqual(c.feed(c.lost('b', true)), ['waiting for worker a or b: nobody else holds the final state']);
    assert.deepEqual(c.feed(c.greet('a', [1, 1], [1, 1], 10, 'x')), ['store 10 from a']);
  });
});
