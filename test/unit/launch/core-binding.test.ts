import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { bindings, divideCores, numbersIn, type Processor } from '../../../src/launch/core-binding.js';

/** Two sockets of two cores of two threads each, numbered as Linux often does: the second threads after all first ones. */
const twoSockets: readonly Processor[] = [0, 1, 2, 3, 4, 5, 6, 7].map((id) => ({
  id,
  package: id % 2,
  firstSibling: id % 4,
}));

test('each worker has whole cores, of one socket where that is possible', () => {
  assert.deepEqual(divideCores(twoSockets, 2), [
    [0, 4, 2, 6],
    [1, 5, 3, 7],
  ]);
  assert.deepEqual(divideCores(twoSockets, 4), [
    [0, 4],
    [2, 6],
    [1, 5],
    [3, 7],
  ]);
  assert.deepEqual(divideCores(twoSockets, 3), [
    [0, 4, 2, 6],
    [1, 5],
    [3, 7],
  ]);
});

test('workers without a core of their own are refused', () => {
  assert.throws(() => divideCores(twoSockets, 5), /there are 5 workers and 4 cores/);
});

test('lists of processors are read as the kernel writes them', () => {
  assert.deepEqual(numbersIn('0-2,5,8-9'), [0, 1, 2, 5, 8, 9]);
});

const noTaskset = spawnSync('taskset', ['--help']).status === 0 ? false : 'no program taskset here';

test('a program that is started through a binding sees its share of the cores', { skip: noTaskset }, () => {
  const [[program, ...args] = []] = bindings(1);
  const script = "process.stdout.write(String(require('node:os').availableParallelism()))";
  const { stdout } = spawnSync(program!, [...args, process.execPath, '-e', script]);
  assert.equal(Number(stdout), numbersIn(args[1]!).length);
});
