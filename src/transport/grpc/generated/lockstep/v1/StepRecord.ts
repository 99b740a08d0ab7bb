// Original file: proto/coordinator.proto


export interface StepRecord {
  'step'?: (number);
  'epoch'?: (number);
  'loss'?: (number | string);
  'accuracy'?: (number | string);
  'learningRate'?: (number | string);
  'globalBatchSize'?: (number);
  'sampleCount'?: (number);
  'worldSize'?: (number);
  'generation'?: (number);
  'gradientNorm'?: (number | string);
  'skipped'?: (boolean);
  'computeSeconds'?: (number | string);
  'waitSeconds'?: (number | string);
  'exchangeSeconds'?: (number | string);
  'updateSeconds'?: (number | string);
  'gradientNoiseScale'?: (number | string);
  'lossScale'?: (number | string);
  'inputSeconds'?: (number | string);
}

export interface StepRecord__Output {
  'step': (number);
  'epoch': (number);
  'loss': (number);
  'accuracy': (number);
  'learningRate': (number);
  'globalBatchSize': (number);
  'sampleCount': (number);
  'worldSize': (number);
  'generation': (number);
  'gradientNorm': (number);
  'skipped': (boolean);
  'computeSeconds': (number);
  'waitSeconds': (number);
  'exchangeSeconds': (number);
  'updateSeconds': (number);
  'gradientNoiseScale': (number);
  'lossScale': (number);
  'inputSeconds': (number);
}
