/** A run as a person reads it: a bar on a terminal, plain lines elsewhere. */

import { SingleBar } from 'cli-progress';
import type { RunEvent } from '../../core/events.js';
import type { Output, RunView } from './run-view.js';
import {
  checkpointFailedLine,
  evaluationLine,
  grouped,
  membershipLine,
  plural,
  rangesLine,
  restoredLine,
  resumedLine,
  skippedLine,
  startLines,
  stepLine,
  summaryLines,
  timeLeft,
  type Started,
  type Step,
} from './wording.js';

export interface ProgressOptions {
  /** Monotonic. Plain lines are spaced by it. */
  readonly nowMs: () => number;
  /** Whether NO_COLOR and the terminal allow colour. */
  readonly colour: boolean;
}

/** Between two plain lines about steps: often enough to see life, rarely enough for a log. */
const plainLineEveryMs = 5_000;

export class ProgressView implements RunView {
  private started: Started | undefined;
  /** Where the bar starts. */
  private resumedStep = 0;
  private bar: SingleBar | undefined;
  private lastLineMs = -Infinity;
  private lastWaiting = '';

  constructor(
    private readonly output: Output,
    private readonly options: ProgressOptions,
  ) {}

  show(event: RunEvent): void {
    switch (event.type) {
      case 'listening':
        this.line(this.dim(`coordinator on ${event.coordinator}, watch the run on ${event.page}`));
        if (event.join !== undefined) this.line(`on every other host: ${event.join}`);
        return;
      case 'waiting':
        return this.waiting(`waiting for workers: ${event.joined} of ${event.worldSize} have joined`);
      case 'started':
        this.started = event;
        this.lastLineMs = this.options.nowMs();
        startLines(event).forEach((text) => this.line(text));
        return this.startBar(event);
      case 'step':
        return this.step(event);
      case 'evaluation':
        return this.line(evaluationLine(event));
      case 'membership':
        return this.line(membershipLine(event));
      case 'ranges':
        return this.line(rangesLine(event));
      case 'resumed':
        this.resumedStep = event.step;
        return this.line(resumedLine(event));
      case 'restored':
        this.resumedStep = event.step;
        return this.line(restoredLine(event));
      case 'checkpoint':
        return; //                                                  nothing to act on; --json and the metrics have it
      case 'checkpoint-failed':
        return this.line(checkpointFailedLine(event));
      case 'stopping':
        return this.line(`stopping: ${event.reason}`);
      case 'result':
        this.close();
        this.line('');
        return summaryLines(event).forEach((text) => this.line(text.replace(/^test .*/, (t) => this.bold(t))));
      case 'error':
        return this.close(); // main.ts words errors
    }
  }

  close(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private waiting(text: string): void {
    if (text !== this.lastWaiting) this.line(this.dim(text));
    this.lastWaiting = text;
  }

  private step(step: Step): void {
    if (this.started === undefined) return;
    if (step.skipped) this.line(skippedLine(step));
    if (this.bar !== undefined) {
      this.bar.update(step.step, barFacts(step, this.started));
      return;
    }
    const now = this.options.nowMs();
    if (now - this.lastLineMs < plainLineEveryMs) return;
    this.lastLineMs = now;
    this.line(stepLine(step, this.started));
  }

  private startBar({ epochsTotal, stepsTotal }: Started): void {
    if (!this.output.isTTY) return;
    this.bar = new SingleBar({
      stream: this.output as NodeJS.WriteStream,
      format: `{epoch} ${this.cyan('{bar}')} {value}/{total} ${plural(stepsTotal, 'step').split(' ')[1]}  loss {loss}  {speed} images/s  ETA {left}`,
      barsize: 20,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false, // signals belong to the program
      fps: 10,
    });
    this.bar.start(stepsTotal, this.resumedStep, { epoch: `epoch 1/${epochsTotal}`, loss: '-', speed: '-', left: '-' });
  }

  /** Writes a line above the bar, which is taken away for a moment. */
  private line(text: string): void {
    const progress = this.bar as (SingleBar & BarState) | undefined;
    progress?.stop();
    this.output.write(`${text}\n`);
    progress?.start(progress.total, progress.value, progress.payload);
  }

  private bold(text: string): string {
    return this.options.colour ? `\u001B[1m${text}\u001B[22m` : text;
  }

  private dim(text: string): string {
    return this.options.colour ? `\u001B[2m${text}\u001B[22m` : text;
  }

  private cyan(text: string): string {
    return this.options.colour ? `\u001B[36m${text}\u001B[39m` : text;
  }
}

/** What the library keeps but its types leave out. */
interface BarState {
  readonly total: number;
  readonly value: number;
  readonly payload: object;
}

function barFacts(step: Step, { epochsTotal, stepsTotal }: Started): object {
  return {
    epoch: `epoch ${step.epoch + 1}/${epochsTotal}`,
    loss: step.loss.toFixed(4),
    speed: grouped(step.imagesPerSecond),
    left: timeLeft(step, stepsTotal),
  };
}
