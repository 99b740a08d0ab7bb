import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Arena } from '../core/arena.js';
import type { ParameterLayout } from '../core/layout.js';
import { restoreError } from '../core/sent-error.js';
import type { EngineName } from './engine.js';
import {
  endThread,
  type SentNode,
  type ThreadAnswer,
  type ThreadData,
  type ThreadJob,
} from './engine-thread-messages.js';
import { fault } from './faults.js';
import type { Computed, ComputedNode, ComputeJob, EngineSetup, JobEngine } from './job.js';

/** Ended from outside in the middle of a call, Dawn aborts the whole process: webgpu/dawn.ts. */
const endsByItself: ReadonlySet<EngineName> = new Set(['webgpu']);

/**
 * An engine with its data in a thread of its own, over the shared arena: a long forward or backward pass never holds up
 * heartbeats or the exchange. One job at a time.
 */
export class EngineThread implements JobEngine {
  private waiting: { resolve: (answer: ThreadAnswer) => void; reject: (error: Error) => void } | undefined;
  private death: Error | undefined;
  private stopping = false;

  private constructor(
    private readonly thread: Worker,
    private readonly arena: Arena,
  ) {
    thread.on('message', (answer: ThreadAnswer) => {
      if ('node' in answer) this.tell(answer.node);
      else if ('error' in answer) this.settle()?.reject(restoreError(answer.error));
      else {
        // What is left of the nodes is on its way to peers before whoever asked goes on.
        if ('nodes' in answer) for (const node of answer.nodes.slice(this.told)) this.tell(node);
        this.settle()?.resolve(answer);
      }
    });
    thread.on('error', (error) => this.die(fault('ENGINE_THREAD_DIED', { reason: reasonOf(error) }, error)));
    thread.on('exit', (code) => this.die(fault('ENGINE_THREAD_DIED', { reason: `exit code ${code}` })));
  }

  private onNode: ((node: ComputedNode) => void) | undefined;
  /** Of the job's nodes, to `onNode`. */
  private told = 0;
  private ready: Extract<ThreadAnswer, { layout: ParameterLayout }> | undefined;

  /** @throws what creating the engine throws, LockstepError `ENGINE_THREAD_DIED` */
  static async start({ arena, ...options }: EngineSetup): Promise<EngineThread> {
    const workerData: ThreadData = { ...options, memory: arena.memory };
    const transferList = 'port' in options.samples ? [options.samples.port] : [];
    const url = new URL('./engine-thread-main.js', import.meta.url);
    const self = new EngineThread(new Worker(url, { workerData, transferList }), arena);
    const answer = await self.answer();
    if (!('layout' in answer)) throw new Error('the engine thread answered out of turn');
    self.ready = answer;
    return self;
  }

  get name(): EngineName {
    return this.ready!.name;
  }

  get deterministic(): boolean {
    return this.ready!.deterministic;
  }

  get layout(): ParameterLayout {
    return this.ready!.layout;
  }

  /** @throws what the engine throws; LockstepError `ENGINE_THREAD_DIED`, also for every later job */
  async compute(job: ComputeJob, onNode?: (node: ComputedNode) => void): Promise<Computed> {
    if (this.waiting) throw new Error('a job is running already');
    const { weights, ...rest } = job;
    const message: ThreadJob = { ...rest, weights: { address: weights.byteOffset, length: weights.length } };
    const answered = this.answer();
    this.onNode = onNode;
    this.told = 0;
    this.thread.postMessage(message);
    const answer = await answered;
    if (!('nodes' in answer)) throw new Error('the engine thread answered out of turn');
    return { ...answer, nodes: answer.nodes.map((node) => this.received(node)) };
  }

  private tell(node: SentNode): void {
    this.told += 1;
    this.onNode?.(this.received(node));
  }

  private received({ first, end, values: { address, length } }: SentNode): ComputedNode {
    return { first, end, values: new Float32Array(this.arena.buffer, address, length) };
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.ready || !endsByItself.has(this.name) || this.death) return void (await this.thread.terminate());
    const ended = once(this.thread, 'exit');
    this.thread.ref();
    this.thread.postMessage(endThread);
    await ended;
  }

  /** The thread keeps the process alive only while somebody waits for it. */
  private answer(): Promise<ThreadAnswer> {
    if (this.death) return Promise.reject(this.death);
    this.thread.ref();
    return new Promise((resolve, reject) => (this.waiting = { resolve, reject }));
  }

  private settle(): typeof this.waiting {
    const { waiting } = this;
    this.waiting = undefined;
    if (!this.death) this.thread.unref();
    return waiting;
  }

  private die(error: Error): void {
    this.death ??= this.stopping ? new Error('the engine thread was stopped') : error;
    this.settle()?.reject(this.death);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
