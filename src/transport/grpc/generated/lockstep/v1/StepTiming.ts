// Original file: proto/coordinator.proto


export interface StepTiming {
  'step'?: (number);
  'beginMs'?: (number | string);
  'computeSeconds'?: (number | string);
  'waitSeconds'?: (number | string);
  'exchangeSeconds'?: (number | string);
  'updateSeconds'?: (number | string);
  'slowestRank'?: (number);
  'inputSeconds'?: (number | string);
}

export interface StepTiming__Output {
  'step': (number);
  'beginMs': (number);
  'computeSeconds': (number);
  'waitSeconds': (number);
  'exchangeSeconds': (number);
  'updateSeconds': (number);
  'slowestRank': (number);
  'inputSeconds': (number);
}
