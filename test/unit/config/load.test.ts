import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  loadConfig,
  specOf,
  flagsFor,
  type Command,
  type FieldName,
  type TrainConfig,
  type WorkerConfig,
} from '../../../src/config/index.js';
import { LockstepError } from '../../../src/core/errors.js';
import type { FlagValues } from '../../../src/config/sources.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-config-'));
after(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const file = join(folder, 'run.yaml');
  writeFileSync(file, content);
  return file;
}

interface Sources {
  readonly flags?: Partial<Record<FieldName, string | boolean | readonly string[]>>;
  readonly environment?: Record<string, string>;
  readonly yaml?: string;
}

function load<C extends Command>(command: C, { flags = {}, environment = {}, yaml }: Sources = {}) {
  return loadConfig(command, {
    flags: new Map(Object.entries(flags)) as FlagValues,
    environment,
    file: yaml === undefined ? undefined : fileWith(yaml),
  });
}

function assertFault(code: string, words: RegExp, body: () => unknown): void {
  assert.throws(body, (error) => {
    assert.ok(error instanceof LockstepError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    assert.equal(error.exitCode, 2);
    assert.ok(!error.message.includes('\n') && error.remedy.length > 0);
    return true;
  });
}

describe('loadConfig', () => {
  test('defaults', () => {
    const { config, given } = load('train');
    const expected: Partial<TrainConfig> = {
      workers: 2,
      model: 'lenet5',
      dataset: 'mnist',
      optimizer: 'adam',
      learningRate: 0.001,
      optimizerOptions: {},
      learningRateSchedule: 'constant',
      warmupSteps: undefined,
      learningRateScaling: 'none',
      baseBatchSize: 256,
      learningRateMax: undefined,
      clipNorm: undefined,
      globalBatchSize: 256,
      batchPerWorker: undefined,
      microBatchSize: undefined,
      dropLast: false,
      epochs: 3,
      steps: undefined,
      shuffle: 'epoch',
      seed: 1,
      engine: 'auto',
      evaluateEvery: { every: 1, unit: 'epoch' },
      json: false,
      logLevel: undefined,
      listen: '127.0.0.1',
      port: 0,
      metricsPort: 9464,
      joinTimeoutSeconds: 60,
      cacheLimitGiB: 4,
    };
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(config[name as keyof TrainConfig], value, name);
    assert.equal(given.size, 0);
  });

  test('programs that run by hand have fixed ports', () => {
    const { config } = load('coordinator');
    assert.deepEqual([config.port, config.metricsPort], [7070, 9464]);
  });

  test('a worker has its own ports and needs its coordinator', () => {
    const { config }: { config: WorkerConfig } = load('worker', { flags: { coordinator: '[::1]:7070' } });
    assert.equal(config.exchangePort, 7071);
    assert.equal(config.metricsPort, 9465);
    assert.deepEqual(config.coordinator, [{ host: '::1', port: 7070 }]);
    assert.ok(!('globalBatchSize' in config));
    assertFault('MISSING_VALUE', /--coordinator HOST:PORT/, () => load('worker'));
  });

  test('flags beat variables, variables beat the file, the file beats defaults', () => {
    const yaml = 'workers: 3\nlr: 0.1\nseed: 9\n';
    const environment = { LOCKSTEP_LR: '0.2', LOCKSTEP_SEED: '8' };
    const { config, quote } = load('train', { yaml, environment, flags: { seed: '7' } });
    assert.deepEqual([config.workers, config.learningRate, config.seed, config.epochs], [3, 0.2, 7, 3]);
    assert.match(quote('workers'), /^workers: 3 in .*run\.yaml$/);
    assert.deepEqual(
      [quote('learningRate'), quote('seed'), quote('epochs')],
      ['LOCKSTEP_LR=0.2', '--seed 7', '--epochs 3 (the default)'],
    );
  });

  test('each way of giving a value reads the same', () => {
    fc.assert(
      fc.property(
        fc.record({
          workers: fc.integer({ min: 1, max: 1e6 }),
          lr: fc.double({ min: 1e-12, max: 1e6, noNaN: true }),
          drop: fc.boolean(),
        }),
        ({ workers, lr, drop }) => {
          const texts = {
            LOCKSTEP_WORKERS: String(workers),
            LOCKSTEP_LR: String(lr),
            LOCKSTEP_DROP_LAST: String(drop),
          };
          const ways = [
            load('train', { flags: { workers: String(workers), learningRate: String(lr), dropLast: drop } }),
            load('train', { environment: texts }),
            load('train', { yaml: JSON.stringify({ workers, learningRate: lr, dropLast: drop }) }),
            load('train', { yaml: JSON.stringify({ workers, lr, 'drop-last': drop }) }),
          ];
          for (const { config } of ways) {
            assert.deepEqual([config.workers, config.learningRate, config.dropLast], [workers, lr, drop]);
          }
        },
      ),
      { seed: 3, numRuns: 50 },
    );
  });

  test('the result is frozen, all the way down', () => {
    const { config } = load('train');
    assert.ok(
      Object.isFrozen(config) && Object.isFrozen(config.evaluateEvery) && Object.isFrozen(config.optimizerOptions),
    );
  });

  test('an empty variable is no value, and the file may come from a variable', () => {
    assert.equal(load('train', { environment: { LOCKSTEP_SEED: '' } }).config.seed, 1);
    assert.equal(load('train', { environment: { LOCKSTEP_CONFIG: fileWith('seed: 5') } }).config.seed, 5);
    assert.equal(load('train', { yaml: '# nothing yet\n' }).config.seed, 1);
  });

  test('options of the update rule, from everywhere, one by one', () => {
    const { config } = load('train', {
      yaml: 'optimizerOptions: { beta1: 0.8, amsgrad: true }',
      environment: { LOCKSTEP_OPTIMIZER_OPTION: 'beta2=0.9, epsilon=1e-7' },
      flags: { optimizerOptions: ['beta1=0.7'] },
    });
    assert.deepEqual({ ...config.optimizerOptions }, { beta1: 0.7, amsgrad: true, beta2: 0.9, epsilon: 1e-7 });
  });

  test('intervals and batches', () => {
    assert.deepEqual(load('train', { flags: { evaluateEvery: '100steps' } }).config.evaluateEvery, {
      every: 100,
      unit: 'step',
    });
    assert.deepEqual(load('train', { flags: { evaluateEvery: '2 epochs' } }).config.evaluateEvery, {
      every: 2,
      unit: 'epoch',
    });
    assert.equal(load('train', { flags: { globalBatchSize: 'full' } }).config.globalBatchSize, 'full');
    assert.equal(load('coordinator', { flags: { listen: '[::1]' } }).config.listen, '::1');
  });
});

describe('options that exclude each other', () => {
  test('the stronger place wins', () => {
    const { config } = load('train', {
      yaml: 'epochs: 5\nbatchPerWorker: 64',
      flags: { steps: '40', globalBatchSize: '128' },
    });
    assert.deepEqual(
      [config.epochs, config.steps, config.globalBatchSize, config.batchPerWorker],
      [undefined, 40, 128, undefined],
    );
  });
  test('a default gives way', () => {
    const { config } = load('train', { flags: { steps: '40', batchPerWorker: '64' } });
    assert.deepEqual(
      [config.epochs, config.steps, config.globalBatchSize, config.batchPerWorker],
      [undefined, 40, undefined, 64],
    );
  });
  test('in one place they are an error', () => {
    assertFault('EXCLUSIVE_OPTIONS', /^--epochs 3 and --steps 40 /, () =>
      load('train', { flags: { epochs: '3', steps: '40' } }),
    );
    assertFault('EXCLUSIVE_OPTIONS', /LOCKSTEP_GLOBAL_BATCH=8 and LOCKSTEP_BATCH_PER_WORKER=4/, () =>
      load('train', { environment: { LOCKSTEP_GLOBAL_BATCH: '8', LOCKSTEP_BATCH_PER_WORKER: '4' } }),
    );
  });
});

describe('what is refused', () => {
  const badValues: readonly [FieldName, string, RegExp][] = [
    ['workers', '0', /^--workers 0: expected a whole number of at least 1, or auto$/],
    ['workers', '2.5', /whole number/],
    ['workers', '0x10', /whole number/],
    ['workers', '', /^--workers '': /],
    ['learningRate', '-1', /^--lr -1: expected a number above 0$/],
    ['learningRate', 'NaN', /a number above 0/],
    ['learningRate', '1e999', /a number above 0/],
    ['seed', '4294967296', /from 0 to 4294967295/],
    ['port', '65536', /from 0 to 65535/],
    ['targetAccuracy', '98', /at most 1/],
    ['evaluateEvery', '0steps', /100steps or 1epoch/],
    ['evaluateEvery', '100', /100steps or 1epoch/],
    ['globalBatchSize', 'all', /or full/],
    ['model', 'lenet-5', /did you mean lenet5\?/],
    ['optimizer', 'adamn', /did you mean adam/],
  ];
  for (const [name, value, words] of badValues) {
    test(`${name} ${value}`, () => assertFault('BAD_VALUE', words, () => load('train', { flags: { [name]: value } })));
  }
  test('a coordinator without a port, or with port 0', () => {
    for (const coordinator of ['localhost', '::1:7070', 'a:0', 'a:70707', 'http://a:1'])
      assertFault('BAD_VALUE', /HOST:PORT/, () => load('worker', { flags: { coordinator } }));
  });
  test('an option of the rule without a value, or with a text', () => {
    for (const option of ['beta1', 'beta1=', 'beta1=high', '=3'])
      assertFault('BAD_VALUE', /key=value/, () => load('train', { flags: { optimizerOptions: [option] } }));
  });
  test('values in a file and a variable are named as they were given', () => {
    assertFault('BAD_VALUE', /^micro-batch: -3 in .*run\.yaml: expected/, () =>
      load('train', { yaml: 'micro-batch: -3' }),
    );
    assertFault('BAD_VALUE', /^LOCKSTEP_JSON=yes: expected true or false/, () =>
      load('train', { environment: { LOCKSTEP_JSON: 'yes' } }),
    );
  });
  test('unknown keys and variables, with the nearest known one', () => {
    assertFault('UNKNOWN_KEY', /^unknown key microBatchsize in .*, did you mean microBatchSize\?$/, () =>
      load('train', { yaml: 'microBatchsize: 3' }),
    );
    assertFault('UNKNOWN_KEY', /did you mean micro-batch\?/, () => load('train', { yaml: 'micro-batches: 3' }));
    assertFault('UNKNOWN_VARIABLE', /LOCKSTEP_WORKRES, did you mean LOCKSTEP_WORKERS\?/, () =>
      load('train', { environment: { LOCKSTEP_WORKRES: '3' } }),
    );
  });
  test('one option under two spellings', () =>
    assertFault('GIVEN_TWICE', /both lr and learningRate/, () => load('train', { yaml: 'lr: 1\nlearningRate: 2' })));
  test('files that cannot be read', () => {
    assertFault('CONFIG_UNREADABLE', /no such file/, () =>
      loadConfig('train', { flags: new Map(), environment: {}, file: join(folder, 'none.yaml') }),
    );
    assertFault('CONFIG_UNREADABLE', /it is a folder/, () =>
      loadConfig('train', { flags: new Map(), environment: {}, file: folder }),
    );
    assertFault('CONFIG_UNREADABLE', /line 1/, () => load('train', { yaml: 'a: [1' }));
    assertFault('CONFIG_UNREADABLE', /unique/, () => load('train', { yaml: 'seed: 1\nseed: 2' }));
    assertFault('CONFIG_UNREADABLE', /a map/, () => load('train', { yaml: '- 1' }));
    assertFault('CONFIG_FORMAT', /format version 2/, () => load('train', { yaml: 'formatVersion: 2' }));
  });
});

describe('relations', () => {
  test('only `train` sees how many GPUs there are', () => {
    assert.equal(load('train', { flags: { workers: 'auto' } }).config.workers, 'auto');
    assertFault('WORKERS_UNCOUNTED', /^--workers auto is for lockstep train/, () =>
      load('coordinator', { flags: { workers: 'auto' } }),
    );
  });
  test('a batch that is no multiple of the micro-batch: both are named, and one that works', () => {
    assertFault(
      'BATCH_NOT_MULTIPLE',
      /^--global-batch 256 \(the default\) is not a multiple of --micro-batch 33; --micro-batch 32 would do$/,
      () => load('train', { flags: { microBatchSize: '33' } }),
    );
    assertFault(
      'BATCH_NOT_MULTIPLE',
      /^batchPerWorker: 60 in .* is not a multiple of LOCKSTEP_MICRO_BATCH=64; --micro-batch 60 would do$/,
      () => load('train', { yaml: 'batchPerWorker: 60', environment: { LOCKSTEP_MICRO_BATCH: '64' } }),
    );
  });
  test('the micro-batch that a message proposes is accepted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }), (batch, microBatch) => {
        const flags = (size: number) => ({ flags: { globalBatchSize: String(batch), microBatchSize: String(size) } });
        try {
          load('train', flags(microBatch));
          assert.equal(batch % microBatch, 0);
        } catch (error) {
          if (!(error instanceof LockstepError)) throw error;
          const [, proposal] = /--micro-batch (\d+) would do/.exec(error.message) ?? [];
          assert.ok(Number(proposal) <= microBatch);
          load('train', flags(Number(proposal)));
        }
      }),
      { seed: 4, numRuns: 100 },
    );
  });
  test('a full batch takes any micro-batch', () => {
    load('train', { flags: { globalBatchSize: 'full', microBatchSize: '33' } });
  });
  test('rprop, with mini-batches and without', () => {
    assertFault('RPROP_NEEDS_FULL_BATCH', /--optimizer rprop .*--global-batch 256 \(the default\)/, () =>
      load('train', { flags: { optimizer: 'rprop' } }),
    );
    assertFault('RPROP_NEEDS_FULL_BATCH', /--batch-per-worker 64/, () =>
      load('train', { flags: { optimizer: 'rprop', batchPerWorker: '64' } }),
    );
    assert.equal(load('train', { flags: { optimizer: 'rprop', globalBatchSize: 'full' } }).config.optimizer, 'rprop');
  });
});

describe('taking over', () => {
  test('--nats and --run belong together, --standby to both, and --restore to --out', () => {
    const nats = { nats: 'nats://a:4222' };
    assertFault('NATS_INCOMPLETE', /--nats nats:\/\/a:4222 needs --run/, () => load('coordinator', { flags: nats }));
    assertFault('NATS_INCOMPLETE', /--run r needs --nats/, () => load('coordinator', { flags: { run: 'r' } }));
    assertFault('NATS_INCOMPLETE', /--standby/, () => load('coordinator', { flags: { standby: true } }));
    const inMain = { engineThread: 'main', threads: '2', coordinator: '127.0.0.1:5' };
    assertFault('MAIN_THREAD_IS_ONE', /--engine-thread main does not go with --threads 2/, () =>
      load('worker', { flags: inMain }),
    );
    assertFault('RESTORE_WITHOUT_OUT', /--restore/, () => load('coordinator', { flags: { restore: true } }));
    const { config } = load('worker', { flags: { ...nats, run: 'r' } });
    assert.equal(config.coordinator, undefined, 'a worker finds it in NATS');
    assertFault('BAD_VALUE', /--run a\.b/, () => load('worker', { flags: { ...nats, run: 'a.b' } }));
  });
});

describe('the way back', () => {
  const given = {
    optimizer: 'rmsprop',
    optimizerOptions: ['rho=0.9', 'centered=true'],
    dropLast: true,
    steps: '40',
    evaluateEvery: '7steps',
    init: 'first.safetensors',
    out: 'somewhere',
    json: true,
    clipNorm: '1e-7',
  };
  test('a spec is a configuration file that says the same', () => {
    const { config } = load('train', { flags: given });
    const spec = specOf(config, { microBatchSize: 32 });
    assert.ok(!('out' in spec) && !('json' in spec) && !('port' in spec) && !('epochs' in spec));
    const again = load('coordinator', { yaml: JSON.stringify(spec) }).config;
    assert.equal(again.microBatchSize, 32);
    assert.equal(again.init, join(process.cwd(), 'first.safetensors'));
    for (const name of [
      'optimizer',
      'optimizerOptions',
      'dropLast',
      'steps',
      'epochs',
      'evaluateEvery',
      'clipNorm',
      'seed',
    ] as const)
      assert.deepEqual(again[name], config[name], name);
    assert.deepEqual(specOf(again), spec);
  });
  test('another run may start from it', () => {
    const spec = specOf(load('train').config);
    assert.equal(load('train', { yaml: JSON.stringify(spec), flags: { steps: '5' } }).config.epochs, undefined);
  });
  test('flags for another program', () => {
    const { config } = load('train', { flags: given });
    const words = flagsFor('coordinator', { ...config, port: 0 });
    for (const pair of [
      '--optimizer rmsprop',
      '--optimizer-option rho=0.9',
      '--optimizer-option centered=true',
      '--steps 40',
      '--port 0',
      '--eval-every 7steps',
    ])
      assert.ok(words.join(' ').includes(pair), pair);
    assert.ok(
      words.includes('--drop-last') &&
        words.includes('--json') &&
        !words.includes('--epochs') &&
        !words.includes('--cache-limit'),
    );
    assert.deepEqual(flagsFor('worker', { coordinator: 'a:1', workers: 3 }), ['--coordinator', 'a:1']);
    assert.deepEqual(flagsFor('worker', { coordinator: { host: '::1', port: 9 } }), ['--coordinator', '[::1]:9']);
    assert.deepEqual(flagsFor('train', { dropLast: false }), ['--no-drop-last']);
  });
});
