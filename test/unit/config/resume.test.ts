import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { flagsFor, loadConfig, specOf, type FieldName } from '../../../src/config/index.js';
import { factsOf, fieldNames, fieldOfFlag, type FlagValues } from '../../../src/config/sources.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-resume-'));
after(() => rmSync(folder, { recursive: true }));

type Flags = Partial<Record<FieldName, string | boolean | readonly string[]>>;
const load = (flags: Flags, environment: Record<string, string> = {}) =>
  loadConfig('train', { flags: new Map(Object.entries(flags)) as FlagValues, environment });

const original: Flags = {
  workers: '3',
  dataset: join(folder, 'data'),
  optimizerOptions: ['beta1=0.8', 'amsgrad=true'],
  globalBatchSize: '48',
  epochs: '4',
  checkpointEvery: '5steps',
  listen: '0.0.0.0',
};
const before = load(original).config;
writeFileSync(join(folder, 'spec.json'), JSON.stringify(specOf(before, { microBatchSize: 12 })));

describe('--resume', () => {
  test('takes the options of the run, not those of where and how it ran', () => {
    const { config } = load({ resume: folder });
    assert.deepEqual(
      { ...config, resume: undefined, listen: before.listen, microBatchSize: undefined },
      { ...before, microBatchSize: undefined },
    );
    assert.equal(config.listen, '127.0.0.1');
    assert.equal(config.microBatchSize, 12);
    assert.equal(load({}, { LOCKSTEP_RESUME: folder }).config.microBatchSize, 12, 'from a variable too');
  });

  test('what may change does', () => {
    const changes: Flags = { workers: '8', steps: '400', checkpointEvery: 'off', keepCheckpoints: '5', port: '7000' };
    const { config } = load({ resume: folder, ...changes, maxSkippedSteps: '3', logLevel: 'debug' });
    assert.deepEqual(
      [config.workers, config.steps, config.epochs, config.checkpointEvery, config.keepCheckpoints, config.port],
      [8, 400, undefined, 'off', 5, 7000],
    );
  });

  test('the same value again is no change, however it is written', () => {
    const data = relative(process.cwd(), join(folder, 'data'));
    const same: Flags = { dataset: data, optimizerOptions: ['amsgrad=true', 'beta1=.80'], globalBatchSize: '48.0' };
    assert.deepEqual(load({ resume: folder, ...same }).config.optimizerOptions, { beta1: 0.8, amsgrad: true });
  });

  test('every other option is refused by name', () => {
    const others: Flags = {
      engine: 'cpu',
      model: 'mlp',
      loss: 'meanSquaredError',
      dataset: 'mnist',
      init: 'weights.safetensors',
      replay: 'runs/other',
      seed: '2',
      shuffle: 'none',
      optimizer: 'sgd',
      learningRate: '0.5',
      optimizerOptions: ['beta1=0.7'],
      learningRateSchedule: 'cosine',
      warmupSteps: '5',
      learningRateScaling: 'linear',
      baseBatchSize: '32',
      learningRateMax: '1',
      codec: 'bf16',
      topkRatio: '0.5',
      codecRounding: 'stochastic',
      syncEvery: '4',
      outerLearningRate: '1',
      outerMomentum: '0',
      clipNorm: '1',
      globalBatchSize: '96',
      batchPerWorker: '48',
      microBatchSize: '24',
      dropLast: true,
      evaluateEvery: '7steps',
      targetAccuracy: '0.9',
      lossScale: '1024',
      batchGrowth: 'every=2epochs,factor=2',
      batchMin: '24',
      batchMax: '96',
      validationLength: '24',
    };
    const isFixed = (name: FieldName): boolean =>
      factsOf(name).commands.includes('train') && !factsOf(name).local && !factsOf(name).mayChange;
    assert.deepEqual(Object.keys(others).sort(), fieldNames.filter(isFixed).sort());
    for (const [name, value] of Object.entries(others)) {
      assert.throws(
        () => load({ resume: folder, [name]: value }),
        {
          code: 'RESUME_DIFFERS',
          message: new RegExp(`--${factsOf(name as FieldName).flag}\\b.* would change the run`),
        },
        name,
      );
    }
    assert.throws(() => load({ resume: folder }, { LOCKSTEP_SEED: '2' }), {
      message:
        'LOCKSTEP_SEED=2 would change the run that is resumed, which has ' + `seed: 1 in ${join(folder, 'spec.json')}`,
    });
  });

  test('stands instead of --out', () => {
    assert.throws(() => load({ resume: folder, out: 'x' }), { code: 'EXCLUSIVE_OPTIONS' });
    assert.equal(load({ resume: folder }, { LOCKSTEP_OUT: 'x' }).config.out, undefined, 'the stronger place wins');
    assert.equal(load({ out: 'x', seed: '2' }, { LOCKSTEP_RESUME: folder }).config.resume, undefined);
  });

  test('needs a run', () => {
    const none = join(folder, 'none');
    assert.throws(() => load({ resume: none }), { code: 'RESUME_NO_RUN', message: /--resume .*none names no run/ });
  });

  test('what `train` hands to its coordinator passes there too', () => {
    const { config } = load({ resume: folder, workers: '1' });
    const words = flagsFor('coordinator', config);
    const flags = new Map<FieldName, string | boolean | string[]>();
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const name = fieldOfFlag(word.replace(/^--(no-)?/, ''))!;
      if (factsOf(name).placeholder === undefined) flags.set(name, !word.startsWith('--no-'));
      else if (factsOf(name).repeatable) flags.set(name, [...((flags.get(name) as string[]) ?? []), words[++i]!]);
      else flags.set(name, words[++i]!);
    }
    const coordinator = loadConfig('coordinator', { flags, environment: {} }).config;
    assert.deepEqual(specOf(coordinator), specOf(config));
  });
});
