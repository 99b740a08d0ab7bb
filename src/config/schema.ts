/** Every option of every program, written once. The order here is the order of `--help`. */

import { checkpointFields } from './checkpoint-fields.js';
import { codecFields, localStepFields } from './codec-fields.js';
import { exchangeFields } from './exchange-fields.js';
import { field, runCommands as run } from './field.js';
import { growthFields } from './growth-fields.js';
import { modelFields } from './model-fields.js';
import { notFiniteFields } from './not-finite-fields.js';
import { placementFields } from './placement-fields.js';
import { scalingFields } from './scaling-fields.js';
import { securityFields } from './security-fields.js';
import { takeoverFields } from './takeover-fields.js';
import { validationFields } from './validation-fields.js';
import {
  batchSize,
  count,
  countOrAuto,
  host,
  hostPorts,
  interval,
  oneOf,
  optionMap,
  portNumber,
  positive,
  share,
  text,
  toggle,
  wholeNumber,
} from './values.js';

const everywhere = ['train', 'coordinator', 'worker'] as const;

export const fields = {
  workers: field('workers', countOrAuto, {
    group: 'Cluster',
    commands: run,
    placeholder: 'N|auto',
    default: 2,
    mayChange: true,
    about:
      'Workers of the run: `train` starts them here, `coordinator` waits until they have joined. `auto` is for `train`: one for each GPU with `--engine webgpu`, else one that has all cores. No number of workers changes the result.',
  }),
  minWorkers: field('min-workers', count, {
    group: 'Cluster',
    commands: run,
    placeholder: 'N',
    default: 1,
    local: true,
    about:
      'While at least so many workers are left, the run goes on without those that were lost; with fewer it waits.',
  }),
  maxWorkers: field('max-workers', count, {
    group: 'Cluster',
    commands: run,
    placeholder: 'N',
    default: 64,
    local: true,
    about: 'Workers may join while the run goes on, until there are so many.',
  }),
  coordinator: field('coordinator', hostPorts, {
    group: 'Cluster',
    commands: ['worker'],
    placeholder: 'HOST:PORT',
    required: true,
    insteadOf: 'nats',
    local: true,
    about:
      'The coordinator to join. IPv6 in brackets: [::1]:7070. Of several with commas between, and of all addresses that a name has, the first one that accepts a connection is taken, each time that the coordinator is looked for. Or --nats and --run.',
  }),
  ...takeoverFields,
  name: field('name', text, {
    group: 'Cluster',
    commands: ['worker'],
    placeholder: 'NAME',
    local: true,
    otherwise: 'the name of the machine',
    about: 'What this worker is called in logs and metrics.',
  }),
  joinTimeoutSeconds: field('join-timeout', positive, {
    group: 'Cluster',
    commands: everywhere,
    placeholder: 'SECONDS',
    default: 60,
    local: true,
    about:
      'How long a worker tries to reach the coordinator, and how long the coordinator waits while it has too few workers: before the first step it gives up then, later it saves the run and ends.',
  }),
  engine: field('engine', oneOf(['auto', 'native', 'wasm', 'cpu', 'webgpu', 'tensorflow']), {
    group: 'Cluster',
    commands: everywhere,
    placeholder: 'ENGINE',
    default: 'auto',
    about:
      'What computes gradients. `native`: own kernels, compiled for this machine; `wasm`: the same kernels and bits in WebAssembly; `cpu`: plain JavaScript, the slow reference; `webgpu`: a GPU, through Vulkan, Metal or Direct3D 12; `tensorflow`: TensorFlow, with CUDA where it is installed so; `auto`: the fastest one that knows the model. For a worker, `auto` means what its coordinator says.',
  }),
  ...placementFields,

  ...modelFields,
  dataset: field('dataset', text, {
    group: 'Model and data',
    commands: run,
    placeholder: 'mnist|DIR',
    default: 'mnist',
    insteadOf: 'module',
    about:
      'The data: `mnist`, which is installed with lockstep, or a folder with the four IDX files under the names of MNIST (train-images-idx3-ubyte and so on), plain or .gz.',
  }),
  ...validationFields,
  init: field('init', text, {
    group: 'Model and data',
    commands: run,
    placeholder: 'FILE',
    otherwise: 'fresh weights from the seed',
    about: 'Weights to start from, a .safetensors file.',
  }),
  seed: field('seed', wholeNumber(0, 4_294_967_295), {
    group: 'Model and data',
    commands: run,
    placeholder: 'SEED',
    default: 1,
    about: 'Decides the initial weights and the order of the samples.',
  }),
  shuffle: field('shuffle', oneOf(['epoch', 'none']), {
    group: 'Model and data',
    commands: run,
    placeholder: 'epoch|none',
    default: 'epoch',
    about: 'Order of the samples: another one in each epoch, or as in the file.',
  }),

  optimizer: field(
    'optimizer',
    oneOf(['sgd', 'momentum', 'nesterov', 'adam', 'adamw', 'rmsprop', 'adagrad', 'adadelta', 'rprop', 'lars', 'lamb']),
    {
      group: 'Optimizer',
      commands: run,
      placeholder: 'RULE',
      default: 'adam',
      about:
        'Update rule: `sgd`, `momentum`, `nesterov`, `adam`, `adamw`, `rmsprop`, `adagrad`, `adadelta`, `rprop` (full batch only), `lars` or `lamb` (large batches), with the conventions of PyTorch.',
    },
  ),
  learningRate: field('lr', positive, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'RATE',
    default: 0.001,
    about: 'Learning rate before schedule and warm-up.',
  }),
  optimizerOptions: field('optimizer-option', optionMap, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'KEY=VALUE',
    repeatable: true,
    default: {},
    about:
      'An option of the update rule: beta1, beta2, epsilon, rho, momentum, centered, amsgrad, weightDecay, etaMinus, etaPlus, stepMin, stepMax, trust. Give the flag once for each; the variable takes several with commas between them, the YAML key a map.',
  }),
  learningRateSchedule: field('lr-schedule', text, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'SCHEDULE',
    default: 'constant',
    about:
      'How the learning rate changes over the run: `constant`, `cosine`, `one-cycle` or `step:every=2epochs`, the settings after a colon with commas between them: docs/optimizers.md.',
  }),
  ...scalingFields,
  clipNorm: field('clip-norm', positive, {
    group: 'Optimizer',
    commands: run,
    placeholder: 'NORM',
    otherwise: 'no clipping',
    about: 'Scales a mean gradient whose L2 norm is larger down to this norm.',
  }),

  globalBatchSize: field('global-batch', batchSize, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'B|full|auto',
    default: 256,
    insteadOf: 'batchPerWorker',
    about:
      'Samples of one step over all workers, whatever their number. `full` is the whole training set; `auto` follows the gradient noise scale from --batch-min to --batch-max, by doubling and halving: with --lr-scaling the learning rate follows.',
  }),
  batchPerWorker: field('batch-per-worker', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'B',
    insteadOf: 'globalBatchSize',
    about:
      'Samples of one step for each worker: the batch follows the number of workers while the run goes on, from the second step after each change. Weights then depend on the sizes that the batches had, which --replay repeats. Instead of --global-batch.',
  }),
  ...growthFields,
  microBatchSize: field('micro-batch', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'M',
    otherwise: 'chosen from --global-batch or --batch-per-worker',
    about:
      'Samples of one forward and backward pass, the unit in which work is shared out and sums are rounded. Must divide the batch.',
  }),
  replay: field('replay', text, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'DIR',
    otherwise: 'batches are as large as the other options say',
    about:
      'Folder of an earlier run, whose options and batch sizes are repeated, step by step and with any number of workers: a run with --batch-per-worker then ends with the same weights. Options that are given as well take the place of its own.',
  }),
  dropLast: field('drop-last', toggle, {
    group: 'Batches and steps',
    commands: run,
    default: false,
    about: 'Leaves out the short last batch of an epoch.',
  }),
  epochs: field('epochs', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'E',
    default: 3,
    mayChange: true,
    insteadOf: 'steps',
    about: 'Passes over the training set.',
  }),
  steps: field('steps', count, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'S',
    insteadOf: 'epochs',
    mayChange: true,
    about: 'Length of the run in optimizer steps. Instead of --epochs.',
  }),
  evaluateEvery: field('eval-every', interval, {
    group: 'Batches and steps',
    commands: run,
    placeholder: '100steps|1epoch',
    default: { every: 1, unit: 'epoch' },
    about: 'How often the test set is evaluated; the end of the run is evaluated in any case.',
  }),
  ...localStepFields,
  targetAccuracy: field('target-accuracy', share, {
    group: 'Batches and steps',
    commands: run,
    placeholder: 'A',
    otherwise: 'the run goes on to its end',
    about: 'Stops the run when an evaluation reaches this test accuracy, for example 0.98.',
  }),
  ...notFiniteFields,

  out: field('out', text, {
    group: 'Results',
    commands: run,
    placeholder: 'DIR',
    local: true,
    insteadOf: 'resume',
    otherwise: 'runs/RUN',
    about: 'Folder for the results; it must be empty or not exist yet.',
  }),
  resume: field('resume', text, {
    group: 'Results',
    commands: run,
    placeholder: 'DIR',
    local: true,
    insteadOf: 'out',
    otherwise: 'a new run',
    about:
      'Folder of an interrupted run: continues it there from its newest whole checkpoint, with the weights that it would have had without the interruption. Options come from its spec.json; only the number of workers, a later end, and where and how to run may differ. Instead of --out.',
  }),
  ...checkpointFields,
  json: field('json', toggle, {
    group: 'Results',
    commands: run,
    default: false,
    local: true,
    about: 'Writes one JSON object a line to stdout, and nothing else there; the last line is the result or the error.',
  }),
  trace: field('trace', text, {
    group: 'Results',
    commands: run,
    placeholder: 'FILE',
    local: true,
    otherwise: 'no trace',
    about:
      "Writes the phases of every worker's every step, and changes of membership, on one clock, in Chrome's trace format, for Perfetto and chrome://tracing; about 350 bytes a step and worker.",
  }),
  logLevel: field('log-level', oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
    group: 'Results',
    commands: everywhere,
    placeholder: 'LEVEL',
    local: true,
    otherwise: '`warn` for train, `info` for the others',
    about: 'What is logged to stderr: trace, debug, info, warn, error, fatal or silent.',
  }),

  listen: field('listen', host, {
    group: 'Network',
    commands: everywhere,
    placeholder: 'HOST',
    default: '127.0.0.1',
    local: true,
    about:
      'Address to listen on. The default is reached from this machine only; 0.0.0.0 listens on all networks, with TLS unless --insecure is given: docs/security.md.',
  }),
  port: field('port', portNumber, {
    group: 'Network',
    commands: run,
    placeholder: 'PORT',
    default: 7070,
    defaultOf: { train: 0 },
    local: true,
    about: 'Port of the coordinator (gRPC); 0 takes any free one.',
  }),
  exchangePort: field('exchange-port', portNumber, {
    group: 'Network',
    commands: ['worker', 'coordinator'],
    placeholder: 'PORT',
    default: 7071,
    local: true,
    about:
      'Port on which a worker gives its gradients to the others, and with `--topology star` the coordinator gives the sums (gRPC); 0 takes any free one, and so does the default where it is in use.',
  }),
  advertise: field('advertise', host, {
    group: 'Network',
    commands: ['coordinator', 'worker'],
    placeholder: 'HOST',
    local: true,
    otherwise: 'the address of --listen, or, if that is all networks, the one from which the coordinator is reached',
    about: 'Name or address under which others reach this program: other workers, or with --nats all workers.',
  }),
  metricsPort: field('metrics-port', portNumber, {
    group: 'Network',
    commands: everywhere,
    placeholder: 'PORT',
    default: 9464,
    defaultOf: { worker: 9465 },
    local: true,
    about:
      "Port for Prometheus (HTTP, /metrics and /healthz); 0 takes any free one, and so does the default where it is in use. With `train` it is the coordinator's, and its workers take free ones.",
  }),

  ...securityFields,
  ...exchangeFields,
  ...codecFields,

  cacheDir: field('cache-dir', text, {
    group: 'Cache',
    commands: ['train', 'worker'],
    placeholder: 'DIR',
    local: true,
    otherwise: '$XDG_CACHE_HOME/lockstep or ~/.cache/lockstep',
    about: 'Where a worker keeps data sets that it was sent.',
  }),
  cacheLimitGiB: field('cache-limit', positive, {
    group: 'Cache',
    commands: ['train', 'worker'],
    placeholder: 'GIB',
    default: 4,
    local: true,
    about: 'Size of that cache in GiB; what was used longest ago goes first.',
  }),
} as const;

export type { ConfigOf, CoordinatorConfig, FieldName, TrainConfig, WorkerConfig } from './config-of.js';
