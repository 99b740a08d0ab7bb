import type { MessagePort } from 'node:worker_threads';

import type { Clock } from '../../core/clock.js';
import type { OwnSetsSpec } from '../../core/run-spec.js';
import { restoreError } from '../../core/sent-error.js';
import { samplesInWords } from '../../data/checked-read.js';
import { bytesOfFormat, sizeOfFormat, type SampleFormat, type SampleValues } from '../../data/dataset.js';
import type { InputScaling } from '../../data/encoded-images.js';
import { fault as dataFault } from '../../data/faults.js';
import type { ReadAnswer, ReadRequest } from '../../own/data-messages.js';
import { fault } from '../../own/faults.js';
import type { Engine } from '../engine.js';
import type { UpcomingJob } from '../job.js';
import { isClassNumber } from '../has-accuracy.js';
import { Portions, type Feed, type FeedOptions, type Portion, type SampledJob } from './feed.js';
import { writeTargets } from './write-targets.js';

/** Samples that an engine thread is sent, as it finds them when it starts. */
export interface SampleStream {
  /** Of the run's module, for faults. */
  readonly path: string;
  readonly sets: OwnSetsSpec;
  /** What engine and reader share, cut into slots. */
  readonly memory: SharedArrayBuffer;
  /** Takes `ReadRequest`s. */
  readonly port: MessagePort;
}

const memoryMax = 33_554_432;
const slotsMax = 16;

/** Of one micro-batch: the inputs, and behind them the labels, each at a multiple of 8 bytes. */
function slotOf({ train }: OwnSetsSpec, microBatchSize: number): { readonly y: number; readonly bytes: number } {
  const bytes = (format: SampleFormat): number => Math.ceil((microBatchSize * bytesOfFormat(format)) / 8) * 8;
  return { y: bytes(train.x), bytes: bytes(train.x) + bytes(train.y) };
}

/** Memory for as many micro-batches as are read ahead: at least 2, at most 16, of 32 MiB. */
export function streamMemory(sets: OwnSetsSpec, microBatchSize: number): SharedArrayBuffer {
  const { bytes } = slotOf(sets, microBatchSize);
  return new SharedArrayBuffer(bytes * Math.min(slotsMax, Math.max(2, Math.floor(memoryMax / bytes))));
}

/** A micro-batch that was asked for. */
interface Asked {
  readonly portion: Portion;
  readonly slot: number;
  isThere: boolean;
  error?: Error;
}

/**
 * Samples that another thread reads: while the engine computes with one micro-batch the next ones are on their way, over the end
 * of a step, too.
 */
export class StreamedFeed implements Feed {
  private readonly portions: Portions;
  private readonly slot: ReturnType<typeof slotOf>;
  private readonly free: number[];
  /** By key, in the order in which they were asked for. */
  private readonly asked = new Map<string, Asked>();
  /** By the number of the request. */
  private readonly open = new Map<number, Asked>();
  private wanted: readonly Portion[] = [];
  private wantedKeys: ReadonlySet<string> = new Set();
  private lastId = 0;
  private death: Error | undefined;
  private notify: (() => void) | undefined;
  private waitMs = 0;
  private readonly inputOf: Float32Array;

  constructor(
    private readonly engine: Engine,
    private readonly stream: SampleStream,
    options: Omit<FeedOptions, 'trainLength'> & { readonly inputScaling: InputScaling },
    private readonly clock: Clock,
  ) {
    this.portions = new Portions({ ...options, trainLength: stream.sets.train.length });
    this.slot = slotOf(stream.sets, options.microBatchSize);
    this.free = Array.from({ length: Math.floor(stream.memory.byteLength / this.slot.bytes) }, (_, i) => i);
    const { scale, mean, deviation } = options.inputScaling;
    this.inputOf = Float32Array.from({ length: 256 }, (_, byte) => (byte * scale - mean) / deviation);
    stream.port.on('message', (answer: ReadAnswer) => this.onAnswer(answer));
    stream.port.on('close', () => {
      this.death = fault('DATA_THREAD_ENDED', { path: stream.path, reason: 'it is not there any more' });
      this.notify?.();
    });
  }

  begin(job: SampledJob, next: UpcomingJob | undefined): void {
    const following = next ? this.portions.of({ ...next, purpose: 'gradient' }) : [];
    this.wanted = [...this.portions.of(job), ...following];
    this.wantedKeys = new Set(this.wanted.map(({ key }) => key));
    this.ask();
  }

  async load(job: SampledJob, index: number): Promise<void> {
    const portion = this.portions.at(job, index);
    if (!this.wantedKeys.has(portion.key)) this.begin({ ...job, range: { first: index, end: index + 1 } }, undefined);
    const asked = await this.arrival(portion);
    if (asked.error) throw asked.error;
    this.asked.delete(portion.key);
    this.fill(asked);
    this.free.push(asked.slot);
    this.wanted = this.wanted.slice(this.wanted.findIndex(({ key }) => key === portion.key) + 1);
    this.ask();
  }

  prefetch(): void {
    // What follows was asked for when the job began.
  }

  indices(job: SampledJob, first: number, count: number): number[] {
    return this.portions.indices(job, first, count);
  }

  takeWaitSeconds(): number {
    const seconds = this.waitMs / 1000;
    this.waitMs = 0;
    return seconds;
  }

  /** Asks for what is wanted, in order, as far as there are slots. */
  private ask(): void {
    for (const portion of this.wanted) {
      if (this.asked.has(portion.key)) continue;
      const slot = this.free.pop() ?? this.dropUnwanted();
      if (slot === undefined) return;
      const asked: Asked = { portion, slot, isThere: false };
      this.asked.set(portion.key, asked);
      this.open.set(++this.lastId, asked);
      const { job, first, end } = portion;
      const base = slot * this.slot.bytes;
      const request: ReadRequest = {
        id: this.lastId,
        role: job.purpose === 'gradient' ? 'train' : 'test',
        epoch: job.epoch,
        indices: this.indices(job, first, end - first),
        x: base,
        y: base + this.slot.y,
      };
      this.stream.port.postMessage(request);
    }
  }

  /** Ranges may have moved since: the slot of something that is there and that nobody is going to take. */
  private dropUnwanted(): number | undefined {
    for (const [key, { isThere, slot }] of this.asked) {
      if (!isThere || this.wantedKeys.has(key)) continue;
      this.asked.delete(key);
      return slot;
    }
    return undefined;
  }

  private onAnswer({ id, error }: ReadAnswer): void {
    const asked = this.open.get(id)!;
    this.open.delete(id);
    asked.isThere = true;
    if (error) asked.error = restoreError(error);
    this.ask();
    this.notify?.();
  }

  /** @throws LockstepError `DATASET_READ_HUNG`, `DATA_THREAD_ENDED` */
  private async arrival(portion: Portion): Promise<Asked> {
    const beginMs = this.clock.nowMs();
    const limitMs = this.stream.sets.readTimeoutMs;
    let isLate = false;
    const cancel = this.clock.setTimer(limitMs, () => {
      isLate = true;
      this.notify?.();
    });
    try {
      for (;;) {
        const asked = this.asked.get(portion.key);
        if (asked?.isThere) return asked;
        if (this.death) throw this.death;
        if (isLate) throw this.hung(portion, limitMs / 1000);
        await new Promise<void>((resolve) => (this.notify = resolve));
      }
    } finally {
      cancel();
      this.waitMs += this.clock.nowMs() - beginMs;
    }
  }

  private hung({ job, first, end }: Portion, seconds: number): Error {
    const { path, sets } = this.stream;
    const { set } = job.purpose === 'gradient' ? sets.train : sets.test;
    const samples = samplesInWords(this.indices(job, first, end - first));
    return dataFault('DATASET_READ_HUNG', { path, set, samples, seconds });
  }

  /** Into the engine's inputs: bytes scaled, everything else as it is. */
  private fill({ portion: { first, end }, slot }: Asked): void {
    const m = end - first;
    const { engine, stream } = this;
    const { x, y } = stream.sets.train; //                             the test set's are the same
    const base = slot * this.slot.bytes;
    const values = this.view(x, base, m);
    if (values instanceof Uint8Array) for (let i = 0; i < values.length; i++) engine.x[i] = this.inputOf[values[i]!]!;
    else engine.x.set(values);
    const labels = this.view(y, base + this.slot.y, m);
    const areClasses = isClassNumber(y);
    if (areClasses) engine.y.set(labels);
    const isAsItIs = engine.targets.length === engine.y.length * sizeOfFormat(y);
    if (areClasses && !isAsItIs) writeTargets(engine, m);
    else if (engine.targets.length > 0) engine.targets.set(labels);
  }

  private view(format: SampleFormat, offset: number, m: number): SampleValues {
    const length = m * sizeOfFormat(format);
    const { memory } = this.stream;
    if (format.dtype === 'float32') return new Float32Array(memory, offset, length);
    return format.dtype === 'int32' ? new Int32Array(memory, offset, length) : new Uint8Array(memory, offset, length);
  }
}
