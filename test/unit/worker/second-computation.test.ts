import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeSum } from '../../../src/collective/round-plan.js';
import { endOfTurn } from '../../../src/core/clock.js';
import type { ComputeJob } from '../../../src/engine/job.js';
import type { PreparedRun } from '../../../src/worker/prepared-run.js';
import { SecondComputation, type StepWork } from '../../../src/worker/second-computation.js';
import { FakeClock } from '../fake-clock.js';

/** Two ranks with a micro-batch each; ours is the second one. Our engine takes so long for one. */
const engineMs = 8;

/** A worker that may help, and the times at which it did what. */
class Harness {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  private beganMs = 0;
  /** How long the engine takes from now on. */
  engineMs = engineMs;
  private busy: Promise<void> | undefined;
  readonly second = new SecondComputation({
    clock: this.clock,
    log: { info: () => undefined },
    events: {
      copied: (reason, isUsed) => this.note(`copied, ${reason}, ${isUsed ? 'used' : 'in vain'}`),
      helped: () => this.note('was helped'),
      computedLate: (_seconds, samples) => this.note(`computed ${samples} samples late`),
    },
  });

  /** Busy or not as it is when somebody looks. */
  private readonly engine = Object.defineProperty(
    { name: 'wasm', deterministic: true, compute: (job: ComputeJob) => this.compute(job) },
    'busy',
    { get: () => this.busy },
  );

  constructor() {
    assert.equal(this.second.begin({ engine: this.engine, spec: {} } as unknown as PreparedRun, 2), true);
  }

  private note(what: string): void {
    this.told.push(`${this.clock.nowMs() - this.beganMs} ms: ${what}`);
  }

  private async compute({ range }: ComputeJob) {
    const { engineMs: takesMs } = this;
    const computing = new Promise<void>((resolve) => void this.clock.setTimer(takesMs, resolve));
    this.busy = computing.then(() => void (this.busy = undefined));
    await computing;
    const node: NodeSum = { ...range, values: Float32Array.of(1) };
    return { nodes: [node], computeSeconds: takesMs / 1000, tensorCount: 0 };
  }

  /**
   * One step, from its beginning at 0 ms.
   *
   * @param arrivesMs - when the neighbour's node comes, and with it the end of the step
   * @param oursArriveMs - when somebody else's copy of our node does, if one does
   */
  async step(arrivesMs: number, { isBehind = false, oursArriveMs = Infinity } = {}): Promise<void> {
    const { clock } = this;
    const beganMs = (this.beganMs = clock.nowMs());
    let isOver = false;
    let isMissing = true;
    let isOwnThere = false;
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    const endIfComplete = (): void => {
      if (isMissing || !isOwnThere) return;
      isOver = true;
      end();
    };
    const own = (): void => ((isOwnThere = true), endIfComplete());
    const theirs = (): void => ((isMissing = false), endIfComplete());
    clock.setTimer(arrivesMs, theirs);
    if (oursArriveMs < Infinity) clock.setTimer(oursArriveMs, own);
    const work = {
      engine: this.engine,
      reduction: {
        add: own,
        addCopy: theirs,
        sendHeader: () => this.note('header'),
        get isOver() {
          return isOver;
        },
        over,
        get missingOfNeighbour() {
          return { rank: 0, isBehind, nodes: isMissing ? [0] : [] };
        },
      },
      job: { purpose: 'gradient', range: { first: 1, end: 2 } },
      neighbour: { first: 0, end: 1 },
      count: 2,
      ownSampleCount: 32,
    };
    let ownReadyMs = 0;
    const computing = this.second.compute(work as unknown as StepWork).then(() => {
      ownReadyMs = clock.nowMs();
    });
    for (let ms = 0; !(isOver && ownReadyMs > 0); ms++) {
      assert.ok(ms < 10_000, 'the step does not end');
      await endOfTurn();
      if (!(isOver && ownReadyMs > 0)) clock.advance(1);
    }
    await computing;
    this.second.finished(Math.max(0, clock.nowMs() - beganMs - engineMs));
  }

  /** Steps that end after so many milliseconds; at the end it is known what is usual. */
  async usual(ms: number, count = 8): Promise<void> {
    for (let i = 0; i < count; i++) await this.step(ms);
    this.told.length = 0;
  }
}

test('what is late nobody knows before there were a few steps', async () => {
  const worker = new Harness();
  await worker.usual(10, 7);
  await worker.step(900);
  assert.deepEqual(worker.told, []);
});

test('where steps are short a range is late 25 ms after our own: nobody is helped before', async () => {
  const worker = new Harness();
  await worker.usual(10);
  await worker.step(engineMs + 24);
  assert.deepEqual(worker.told, []);
  await worker.step(900);
  assert.deepEqual(worker.told, [`${engineMs + 25 + engineMs} ms: copied, late, used`]);
});

test('where steps are long it is late when it could have been computed a second time beyond what is usual', async () => {
  const worker = new Harness();
  await worker.usual(100);
  await worker.step(900);
  assert.deepEqual(worker.told, [`${100 + engineMs + engineMs} ms: copied, late, used`]);
});

test('after help in vain the next one is given later, and after one that was of use sooner again', async () => {
  const worker = new Harness();
  await worker.usual(10);
  await worker.step(36); //                                          it comes while we compute it
  assert.deepEqual(worker.told.splice(0), ['36 ms: copied, late, in vain']);
  await worker.step(900); //                                         our engine is still at the copy
  assert.deepEqual(worker.told.splice(0), ['0 ms: header', `${50 + engineMs} ms: copied, late, used`]);
  await worker.step(900);
  assert.deepEqual(worker.told.splice(0), [`${engineMs + 25 + engineMs} ms: copied, late, used`]);
});

test('a neighbour that says that it is behind is helped at once', async () => {
  const worker = new Harness();
  await worker.step(900, { isBehind: true });
  assert.deepEqual(worker.told, [`${2 * engineMs} ms: copied, behind, used`]);
});

test('whose engine stands still says after 10 ms that it is in the step, and ends it with the nodes of others', async () => {
  const worker = new Harness();
  await worker.usual(10);
  worker.engineMs = 500;
  await worker.step(12, { oursArriveMs: 40 });
  assert.deepEqual(worker.told.splice(0), ['10 ms: header', '40 ms: was helped']);
  assert.equal(worker.second.engineWord.isBehind, true, 'and says so in the next header');
  worker.engineMs = engineMs;
  await worker.step(12); //                                          its job waits for the engine
  assert.deepEqual(worker.told, ['0 ms: header', '460 ms: computed 32 samples late']);
  assert.equal(worker.second.engineWord.isBehind, false);
});
