// Original file: proto/coordinator.proto


export interface Generation {
  'term'?: (number);
  'number'?: (number);
}

export interface Generation__Output {
  'term': (number);
  'number': (number);
}
