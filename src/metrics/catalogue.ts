/**
 * Every metric that lockstep publishes. One process owns each series: what is true of the run is the coordinator's, what
 * is true of one process is that worker's. docs/metrics.md is written from here.
 *
 * Names follow Prometheus: base units (seconds, bytes), `_total` for counters, `_ratio` for shares of one. Every series
 * carries the run's id as `run`, and a worker's its stable name as `worker`. Labels are bounded: no step, no process, no
 * pair of workers is one.
 */

import { refusalReasons } from '../core/refusals.js';

/** A metric before there is a registry to put it in. */
export interface Description<
  Type extends 'counter' | 'gauge' | 'histogram' = 'counter' | 'gauge' | 'histogram',
  Label extends string = string,
> {
  readonly type: Type;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
  /** All values of each label, where they are known: every series of a counter then begins at 0, and has a rate at once. */
  readonly values?: Readonly<Record<Label, readonly string[]>>;
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

function counter<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] | Readonly<Record<Label, readonly string[]>> = [],
): Description<'counter', Label> {
  if (isList(labels)) return { type: 'counter', name, help, labels };
  return { type: 'counter', name, help, labels: Object.keys(labels) as Label[], values: labels };
}

/** What `Array.isArray` does not see in a readonly type. */
function isList<Label>(labels: readonly Label[] | object): labels is readonly Label[] {
  return Array.isArray(labels);
}

function gauge<const Label extends string = never>(
  name: string,
  help: string,
  labels: readonly Label[] = [],
): Description<'gauge', Label> {
  return { type: 'gauge', name, help, labels };
}

function histogram<const Label extends string = never>(
  name: string,
  help: string,
  buckets: readonly number[],
  labels: readonly Label[] = [],
): Description<'histogram', Label> {
  return { type: 'histogram', name, help, labels, buckets };
}

/**
 * Factors of about two from half a millisecond, the exchange of a small model on one machine, to half a minute, a full
 * batch of MNIST in plain JavaScript: 16 buckets tell a step of 7 ms from one of 15 ms wherever it lies.
 */
const stepBuckets = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];

/** An evaluation is a pass over the test set: from a tenth of a second to minutes. */
const evaluationBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** From a small model on a local disk to minutes for a large one over a slow network. */
const checkpointBuckets = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

const build = gauge('lockstep_build_info', 'Always 1; the labels say what is running.', ['version', 'node', 'program']);

export const coordinatorCatalogue = {
  build,
  run: gauge('lockstep_run_info', 'Always 1; the labels say what is being trained, and with what.', [
    'model',
    'engine',
  ]),
  worldSize: gauge('lockstep_world_size', 'Workers in the current generation.'),
  wantedWorkers: gauge('lockstep_wanted_workers', 'Workers with which the run was started.'),
  joinedWorkers: gauge(
    'lockstep_joined_workers',
    'Workers that have joined, while the run waits for its first generation.',
  ),
  generation: gauge('lockstep_generation', 'Version of the membership; rises by one with every change.'),
  membershipChanges: counter(
    'lockstep_membership_changes_total',
    'Times that workers joined, left or were lost while the run went on.',
  ),
  rangeChanges: counter(
    'lockstep_range_changes_total',
    'Times that micro-batches moved between workers because of their measured speed.',
  ),
  workersLost: counter(
    'lockstep_workers_lost_total',
    'Workers that are gone, by cause: connection (it broke, as when a process dies), silence, failure (it said why), state (it could not hand over what it held), leave (it asked to).',
    ['cause'],
  ),
  memberUp: gauge(
    'lockstep_member_up',
    'By the name of a worker: 1 while it is in the current generation, 0 once it is not.',
    ['worker'],
  ),
  memberWaitedFor: counter(
    'lockstep_member_waited_for_seconds_total',
    'By the name of a worker: seconds that the others, added up, waited while its part was the last one to come.',
    ['worker'],
  ),
  step: gauge('lockstep_step', 'The last finished step of the run, those before it was resumed counted.'),
  steps: counter('lockstep_steps_total', 'Optimizer steps finished under this coordinator, skipped ones included.'),
  skippedSteps: counter(
    'lockstep_skipped_steps_total',
    'Steps whose gradient was not finite, so that the weights stayed as they were.',
  ),
  images: counter('lockstep_images_total', 'Training samples in finished steps, over all workers.'),
  epoch: gauge('lockstep_epoch', 'Pass over the training set that the last step belonged to, from 0.'),
  stepsPlanned: gauge('lockstep_planned_steps', 'Steps of the whole run.'),
  globalBatchSize: gauge('lockstep_global_batch_size', 'Samples of one step over all workers.'),
  learningRate: gauge('lockstep_learning_rate', 'Learning rate of the last step, with schedule and warm-up.'),
  loss: gauge('lockstep_loss', 'Mean loss over the samples of the last step.'),
  accuracy: gauge(
    'lockstep_accuracy_ratio',
    'Share of the samples of the last step that were answered correctly; none where no answer is correct or wrong.',
  ),
  gradientNorm: gauge('lockstep_gradient_norm', 'L2 norm of the mean gradient of the last step, before clipping.'),
  gradientNoiseScale: gauge(
    'lockstep_gradient_noise_scale_samples',
    'Gradient noise scale, averaged over steps: batches far above it save few steps. 0 while it is not known.',
  ),
  testLoss: gauge('lockstep_test_loss', 'Mean loss over the test set at the last evaluation.'),
  testAccuracy: gauge(
    'lockstep_test_accuracy_ratio',
    'Share of the test set answered correctly at the last evaluation.',
  ),
  bestTestAccuracy: gauge(
    'lockstep_best_test_accuracy_ratio',
    'The highest share of the test set answered correctly so far.',
  ),
  testMetric: gauge(
    'lockstep_test_metric',
    "By its name: a metric of the run's module at the last evaluation, its mean over the test set.",
    ['metric'],
  ),
  evaluations: counter('lockstep_evaluations_total', 'Evaluations of the test set.'),
  checkpointStep: gauge('lockstep_checkpoint_step', 'Step of the newest checkpoint on the disk.'),
  checkpointTime: gauge(
    'lockstep_checkpoint_timestamp_seconds',
    'When the newest checkpoint was finished, in seconds since 1970: `time()` less this is its age.',
  ),
  checkpointSeconds: histogram(
    'lockstep_checkpoint_seconds',
    'Time from asking a worker for its state until it is on the disk.',
    checkpointBuckets,
  ),
  checkpointFailures: counter(
    'lockstep_checkpoint_failures_total',
    'Checkpoints that could not be fetched or written, so that the run went on without them.',
  ),
  natsUnreachable: gauge(
    'lockstep_nats_unreachable',
    'Whether the NATS server of the run is out of reach of the coordinator: 1 or 0; 0 without NATS.',
  ),
  eventsWaiting: gauge(
    'lockstep_events_waiting',
    'Events of the run that are not in NATS yet: 0 or 1 while NATS is there, more while it is not.',
  ),
  eventsGivenUp: counter(
    'lockstep_events_given_up_total',
    'Events that did not come into NATS, since it was out of reach for too long; events.jsonl has them.',
  ),
  refused: counter(
    'lockstep_refused_connections_total',
    'Connections and calls that were not let in, by reason: no TLS, no or a wrong certificate, a wrong or used token.',
    { reason: refusalReasons },
  ),
  datasetSent: counter(
    'lockstep_dataset_sent_bytes_total',
    'Bytes of data sets sent to workers that did not have them.',
  ),
} as const satisfies Record<string, Description>;

export const workerCatalogue = {
  build,
  rank: gauge('lockstep_worker_rank', 'Place of this worker in the current generation, from 0.'),
  generation: gauge('lockstep_worker_generation', 'Version of the membership that this worker works under.'),
  rangeShare: gauge(
    'lockstep_worker_range_ratio',
    'Share of a step that this worker computes in the current generation; follows its measured speed.',
  ),
  steps: counter('lockstep_worker_steps_total', 'Steps that this worker finished.'),
  images: counter('lockstep_worker_images_total', 'Training samples whose gradient this worker computed.'),
  phaseSeconds: histogram(
    'lockstep_worker_step_phase_seconds',
    'Time of one step by phase: compute (forward and backward), exchange (gradient sums), update (optimizer), wait (for the slowest other worker).',
    stepBuckets,
    ['phase'],
  ),
  inputWait: counter(
    'lockstep_worker_input_wait_seconds_total',
    "Seconds of the phase compute in which the engine waited for samples of a run's own data set to be read: near 0 where reading ahead keeps up.",
  ),
  evaluationSeconds: histogram(
    'lockstep_worker_evaluation_seconds',
    'Time of one evaluation on this worker.',
    evaluationBuckets,
  ),
  slowestPeer: gauge(
    'lockstep_worker_slowest_peer_rank',
    'Rank of the worker for which this one waited longest in the last half second; -1 if it waited for nobody. `lockstep_worker_rank` says who that is.',
  ),
  exchanged: counter(
    'lockstep_worker_exchange_bytes_total',
    'Bytes of gradients exchanged with other workers, by direction (sent, received) and by codec (f32: exact).',
    ['direction', 'codec'],
  ),
  hidden: counter(
    'lockstep_worker_exchange_hidden_bytes_total',
    'Bytes of gradients that moved while this worker still computed, so that they cost no time.',
  ),
  secondComputations: counter(
    'lockstep_worker_second_computations_total',
    'Ranges of the rank before that this worker computed, too, by reason (late: far beyond what is usual; behind: its engine was still at a step that is over) and outcome (used; in vain: its own came first).',
    { reason: ['late', 'behind'], outcome: ['used', 'in vain'] },
  ),
  helpedSteps: counter(
    'lockstep_worker_helped_steps_total',
    "Steps that were finished while this worker's engine was still at it, with what the next rank had computed in its place.",
  ),
  datasetReceived: counter(
    'lockstep_worker_dataset_received_bytes_total',
    'Bytes of data sets received from the coordinator.',
  ),
  natsUnreachable: gauge(
    'lockstep_worker_nats_unreachable',
    'Whether NATS is out of reach of this worker, so that it would not find a new coordinator: 1 or 0; 0 without NATS.',
  ),
  refused: counter(
    'lockstep_worker_refused_connections_total',
    'Connections of strangers that this worker did not let in, by reason: no TLS, no or a wrong certificate.',
    { reason: refusalReasons },
  ),
  tensors: gauge('lockstep_worker_tensors', 'Live tensor objects of the engine; constant while a run goes on.'),
  arena: gauge(
    'lockstep_worker_arena_bytes',
    'Memory shared between the threads of this worker: weights, gradients, activations.',
  ),
} as const satisfies Record<string, Description>;
