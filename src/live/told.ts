import type { PublicEvent } from './public-events.js';

/**
 * What earlier processes told of a run. Whoever goes on, a coordinator that takes over or a run that is resumed, asks here
 * what is left to tell, so that the events of a run have neither a gap nor a repetition.
 */
export class Told {
  /** Whether anything was told before. */
  isContinuing = false;
  hasStarted = false;
  /** The last step that a summary holds. */
  step = 0;
  evaluationStep = -1;
  /** The last step of which was told that it was skipped. */
  skippedStep = 0;
  generation = 0;
  /** Workers that were told to be here, and have not come to this process yet. */
  readonly awaited = new Set<string>();
  private members: readonly string[] = [];

  add(event: PublicEvent): void {
    this.isContinuing = true;
    switch (event.type) {
      case 'started':
        this.hasStarted = true;
        return;
      case 'resumed':
        return this.resumed(event.step);
      case 'steps':
        this.step = event.lastStep;
        return;
      case 'evaluation':
        this.evaluationStep = event.step;
        return;
      case 'alert':
        if (event.name === 'step-skipped') this.skippedStep = event.step;
        return;
      case 'joined':
        this.awaited.add(event.worker);
        return;
      case 'left':
        this.awaited.delete(event.worker);
        return;
      case 'generation':
        this.generation = event.generation;
        this.members = event.members;
        return;
      default: //                                                     nothing that would be told again
    }
  }

  /** The run goes on from a checkpoint: what came after it happens again, and is told again. */
  resumed(step: number): void {
    this.hasStarted = false;
    this.step = Math.min(this.step, step);
    this.evaluationStep = Math.min(this.evaluationStep, step);
    this.skippedStep = Math.min(this.skippedStep, step);
    this.generation = 0; //                                           generations are compared within one life of the workers
    this.awaited.clear();
    this.members = [];
  }

  /**
   * A worker comes. @param isMember - it is in the generation that runs, and opens another stream
   *
   * @returns what is to be told of it: `nothing` new, that it `joined`, or that the one of its name is `replaced`
   */
  arrival(worker: string, isMember: boolean): 'nothing' | 'joined' | 'replaced' {
    if (!this.awaited.delete(worker)) return 'joined';
    return isMember || !this.members.includes(worker) ? 'nothing' : 'replaced';
  }

  /** A new generation begins. @returns workers that are not in it, and of which nobody has heard any more */
  missingFrom(members: readonly string[]): readonly string[] {
    const missing = [...this.awaited].filter((worker) => !members.includes(worker));
    for (const worker of missing) this.awaited.delete(worker);
    return missing;
  }
}
