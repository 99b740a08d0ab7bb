/** A run whose coordinator lives in a user's process. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { coordinate } from '../cli/coordinate/coordinate.js';
import { localWorkersOf } from '../cli/local-workers-of.js';
import { createLog } from '../cli/logger.js';
import type { Supervisor } from '../cli/supervisor.js';
import { loadConfig } from '../config/index.js';
import { openRunModule, type OpenModule } from '../coordinator/run-module.js';
import type { RunEvent, RunReport } from '../core/events.js';
import type { ToChild } from '../core/supervision.js';
import { pathOf } from '../data/readers/paths.js';
import { LocalWorkers } from '../launch/local-workers.js';
import { readSafetensors } from '../store/safetensors.js';
import type { ProgramRun, TrainOptions, TrainResult } from './definition.js';
import { modelOf, writeRun } from './written-run.js';

/** @throws LockstepError; the signal's reason if it was aborted before the run was prepared */
export async function hostRun(
  run: URL | string | ProgramRun,
  options: TrainOptions,
  show: (event: RunEvent) => void,
): Promise<TrainResult> {
  options.signal?.throwIfAborted();
  if (run instanceof URL || typeof run === 'string') return host(pathOf(run), undefined, options, show);
  const model = modelOf(run);
  const path = await writeRun(run);
  const openModule: OpenModule = async (file) => {
    const module = await openRunModule(file);
    return { ...module, run: { ...module.run, model } };
  };
  try {
    return await host(path, openModule, options, show);
  } finally {
    await rm(dirname(dirname(path)), { recursive: true, force: true });
  }
}

async function host(
  module: string,
  openModule: OpenModule | undefined,
  { signal, ...options }: TrainOptions,
  show: (event: RunEvent) => void,
): Promise<TrainResult> {
  const values = { port: 0, metricsPort: 0, ...options, module };
  const sources = { flags: new Map(), environment: {}, values };
  const { config } = loadConfig('train', sources);
  const local = await localWorkersOf(config);
  const loaded = loadConfig('coordinator', { ...sources, values: { ...values, workers: local.workers } });
  const channel = new Channel();
  const workers = new LocalWorkers(local, (worker, reason) => channel.send({ type: 'worker-ended', worker, reason }));
  const supervisor: Supervisor = {
    tell: (message) => workers.start(message),
    onMessage: (listener) => channel.listen(listener),
    release: () => undefined,
  };
  const abort = (): void => channel.send({ type: 'stop', reason: 'the signal of train() was aborted' });
  signal?.addEventListener('abort', abort, { once: true });
  const log = createLog({ program: 'coordinator', level: 'silent', stderr: process.stderr, environment: {} });
  let report: RunReport | undefined;
  const view = {
    show(event: RunEvent) {
      if (event.type === 'result') report = event;
      show(event);
    },
    close: () => undefined,
  };
  try {
    await coordinate(loaded, { view, log, supervisor, openModule, listen: () => () => undefined });
    await workers.ended();
    const { tensors } = await readSafetensors(join(report!.out, 'final.safetensors'));
    return { report: report!, weights: tensors };
  } finally {
    signal?.removeEventListener('abort', abort);
    workers.kill(); //                                                of a run that failed; there are none otherwise
    await workers.ended();
    log.close();
  }
}

/** What was said before somebody listened is not lost. */
class Channel {
  private readonly said: ToChild[] = [];
  private listener: ((message: ToChild) => void) | undefined;

  send(message: ToChild): void {
    if (this.listener) this.listener(message);
    else this.said.push(message);
  }

  listen(listener: (message: ToChild) => void): void {
    this.listener = listener;
    for (const message of this.said.splice(0)) listener(message);
  }
}
