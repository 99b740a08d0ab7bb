import type { CoordinatorMembership } from '../cluster/coordinator-state.js';
import type { Progress } from '../cluster/messages.js';
import type { CoordinatorDependencies, CoordinatorOptions } from './coordinator-options.js';
import type { ReportContext } from './results.js';
import type { WorkerSessions } from './worker-sessions.js';

interface Needs extends Pick<CoordinatorDependencies, 'spec' | 'layout'> {
  readonly options: CoordinatorOptions;
  readonly secondsTotal: number;
  readonly engines: ReturnType<WorkerSessions['engines']>;
}

/** What the report of a run says beside what was recorded of its steps: how it ended, and with whom. */
export function reportContextOf(progress: Progress, membership: CoordinatorMembership, needs: Needs): ReportContext {
  const { spec, layout, options, secondsTotal, engines } = needs;
  const isInterrupted = membership.stopRequested && progress.finishedStep < spec.lastStep;
  const outcome = progress.ended!.targetReached ? 'target-reached' : isInterrupted ? 'interrupted' : 'finished';
  return {
    outcome,
    ...(outcome === 'interrupted' ? { resumeWith: options.resumeWith } : {}),
    secondsTotal,
    worldSize: membership.begin!.members.length,
    parameterCount: layout.parameterCount,
    ...engines,
    out: options.out,
  };
}
