import type { Begin, Generation, Progress } from '../../cluster/messages.js';
import type { FromCoordinator, FromWorker, Report } from '../../cluster/session.js';
import type { EvaluationRecord, PhaseSeconds, StepRecord, StepTiming } from '../../core/events.js';
import type { CoordinatorMessage, CoordinatorMessage__Output } from './generated/lockstep/v1/CoordinatorMessage.js';
import type { Begin__Output } from './generated/lockstep/v1/Begin.js';
import type {
  EvaluationRecord as WireEvaluation,
  EvaluationRecord__Output,
} from './generated/lockstep/v1/EvaluationRecord.js';
import type { Generation__Output } from './generated/lockstep/v1/Generation.js';
import type { Progress as WireProgress, Progress__Output } from './generated/lockstep/v1/Progress.js';
import type { StepRecord as WireStep, StepRecord__Output } from './generated/lockstep/v1/StepRecord.js';
import type { StepTiming as WireTiming, StepTiming__Output } from './generated/lockstep/v1/StepTiming.js';
import type { WorkerMessage, WorkerMessage__Output } from './generated/lockstep/v1/WorkerMessage.js';

/** Domain to wire and back, for the stream between worker and coordinator. A message that makes no sense decodes to undefined. */

export function encodeFromWorker(runId: string, message: FromWorker): WorkerMessage {
  switch (message.kind) {
    case 'hello':
      return { hello: message };
    case 'ready':
      return { ready: { runId, ...message, greeting: message.greeting ? encodeProgress(message.greeting) : null } };
    case 'sealed':
      return { sealed: { runId, ...message } };
    case 'progress':
      return {
        progress: {
          runId,
          ...encodeProgress(message),
          steps: message.steps.map(encodeStep),
          evaluations: message.evaluations.map(encodeEvaluation),
          checkpointStep: message.checkpointStep ?? 0,
          secondsPerSample: message.secondsPerSample ?? 0,
        },
      };
    case 'failed':
      return { failed: message };
    case 'heartbeat':
      return { heartbeat: { runId, sentAtMs: message.sentAtMs, timings: message.timings.map(encodeTiming) } };
    case 'leaving':
      return { leaving: { runId } };
  }
}

/** @param workerId - who is at the other end, by its Hello: no message can speak for another worker */
export function decodeFromWorker(workerId: string, wire: WorkerMessage__Output): FromWorker | undefined {
  if (wire.hello) return { kind: 'hello', ...wire.hello };
  if (wire.ready) {
    const { greeting, ...ready } = wire.ready;
    return { kind: 'ready', ...ready, ...(greeting ? { greeting: decodeProgress(workerId, greeting) } : {}) };
  }
  if (wire.sealed)
    return { kind: 'sealed', ...wire.sealed, workerId, generation: decodeGeneration(wire.sealed.generation) };
  if (wire.progress) return decodeReport(workerId, wire.progress);
  if (wire.failed) return { kind: 'failed', ...wire.failed };
  if (wire.heartbeat) {
    const { sentAtMs, timings } = wire.heartbeat;
    return { kind: 'heartbeat', sentAtMs, timings: timings.map(decodeTiming) };
  }
  if (wire.leaving) return { kind: 'leaving' };
  return undefined;
}

/** The run that a worker's message belongs to; a Hello and a farewell belong to none. */
export function runIdOf(wire: WorkerMessage__Output): string | undefined {
  return (wire.ready ?? wire.sealed ?? wire.progress ?? wire.heartbeat ?? wire.leaving)?.runId;
}

export function encodeFromCoordinator(runId: string, message: FromCoordinator): CoordinatorMessage {
  switch (message.kind) {
    case 'welcome':
      return { welcome: message };
    case 'seal':
      return { seal: { runId, ...message } };
    case 'begin':
      return {
        begin: {
          runId,
          ...message,
          members: [...message.members],
          shares: [...message.shares],
          globalBatchSize: message.globalBatchSize ?? 0,
        },
      };
    case 'end':
      return { end: { runId, ...message } };
    case 'refused':
      return { refused: message };
    case 'dismissed':
      return { dismissed: { runId } };
  }
}

/** All but a Change, which means something only where the Begin before it is known. */
export function decodeFromCoordinator(wire: CoordinatorMessage__Output): FromCoordinator | undefined {
  if (wire.welcome) return { kind: 'welcome', ...wire.welcome };
  if (wire.seal) return { ...wire.seal, kind: 'seal', generation: decodeGeneration(wire.seal.generation) };
  if (wire.begin) return decodeBegin(wire.begin);
  if (wire.end) return { kind: 'end', generation: decodeGeneration(wire.end.generation) };
  if (wire.dismissed) return { kind: 'dismissed' };
  if (wire.refused) return { kind: 'refused', ...wire.refused };
  return undefined;
}

function decodeBegin({ globalBatchSize, runId: _runId, ...wire }: Begin__Output): Begin {
  const generation = decodeGeneration(wire.generation);
  return { ...wire, kind: 'begin', generation, ...(globalBatchSize > 0 ? { globalBatchSize } : {}) };
}

function encodeProgress(progress: Progress): WireProgress {
  return { ...progress, ended: progress.ended ?? null };
}

function decodeProgress(workerId: string, wire: Progress__Output): Progress {
  return {
    kind: 'progress',
    workerId,
    generation: decodeGeneration(wire.generation),
    finishedStep: wire.finishedStep,
    sealed: decodeGeneration(wire.sealed),
    ...(wire.ended ? { ended: wire.ended } : {}),
  };
}

function decodeReport(workerId: string, wire: Progress__Output): Report {
  return {
    ...decodeProgress(workerId, wire),
    steps: wire.steps.map(decodeStep),
    evaluations: wire.evaluations.map(decodeEvaluation),
    ...(wire.secondsPerSample > 0 ? { secondsPerSample: wire.secondsPerSample } : {}),
    ...(wire.checkpointStep > 0 ? { checkpointStep: wire.checkpointStep } : {}),
  };
}

export function decodeGeneration(wire: Generation__Output | null): Generation {
  return { term: wire?.term ?? 0, number: wire?.number ?? 0 };
}

function encodeTiming({ seconds, ...timing }: StepTiming): WireTiming {
  return { ...timing, ...encodeSeconds(seconds) };
}

function decodeTiming(wire: StepTiming__Output): StepTiming {
  const { computeSeconds, inputSeconds, waitSeconds, exchangeSeconds, updateSeconds, ...timing } = wire;
  const seconds = { computeSeconds, inputSeconds, waitSeconds, exchangeSeconds, updateSeconds };
  return { ...timing, seconds: decodeSeconds(seconds) };
}

function encodeStep({ seconds, accuracy, ...record }: StepRecord): WireStep {
  return { ...record, accuracy: accuracy ?? NaN, ...encodeSeconds(seconds) };
}

function encodeSeconds({ compute, input = 0, wait, exchange, update }: PhaseSeconds) {
  const own = { computeSeconds: compute, inputSeconds: input };
  return { ...own, waitSeconds: wait, exchangeSeconds: exchange, updateSeconds: update };
}

function decodeSeconds(wire: ReturnType<typeof encodeSeconds>): PhaseSeconds {
  const { computeSeconds: compute, inputSeconds: input, waitSeconds: wait } = wire;
  const { exchangeSeconds: exchange, updateSeconds: update } = wire;
  return { compute, ...(input > 0 ? { input } : {}), wait, exchange, update };
}

function decodeStep(wire: StepRecord__Output): StepRecord {
  const { computeSeconds, inputSeconds, waitSeconds, exchangeSeconds, updateSeconds, ...rest } = wire;
  const { accuracy, gradientNoiseScale, lossScale, ...record } = rest;
  return {
    ...record,
    accuracy: knownIn(accuracy),
    ...(gradientNoiseScale > 0 ? { gradientNoiseScale } : {}),
    ...(lossScale > 0 ? { lossScale } : {}),
    seconds: decodeSeconds({ computeSeconds, inputSeconds, waitSeconds, exchangeSeconds, updateSeconds }),
  };
}

function encodeEvaluation({ testAccuracy, metrics = {}, ...record }: EvaluationRecord): WireEvaluation {
  return { ...record, testAccuracy: testAccuracy ?? NaN, metrics };
}

function decodeEvaluation({ testAccuracy, metrics, ...record }: EvaluationRecord__Output): EvaluationRecord {
  const known = Object.keys(metrics).length > 0 ? { metrics } : {};
  return { ...record, testAccuracy: knownIn(testAccuracy), ...known };
}

/** An accuracy where there is one: proto3 has no null. */
const knownIn = (accuracy: number): number | null => (Number.isNaN(accuracy) ? null : accuracy);
