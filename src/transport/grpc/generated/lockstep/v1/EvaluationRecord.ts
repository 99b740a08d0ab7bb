// Original file: proto/coordinator.proto


export interface EvaluationRecord {
  'step'?: (number);
  'epoch'?: (number);
  'testLoss'?: (number | string);
  'testAccuracy'?: (number | string);
  'best'?: (boolean);
  'metrics'?: ({[key: string]: number | string});
}

export interface EvaluationRecord__Output {
  'step': (number);
  'epoch': (number);
  'testLoss': (number);
  'testAccuracy': (number);
  'best': (boolean);
  'metrics': ({[key: string]: number});
}
