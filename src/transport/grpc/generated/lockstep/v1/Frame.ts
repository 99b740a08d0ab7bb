// Original file: proto/exchange.proto


export interface Frame {
  'kind'?: (number);
  'generation'?: (number);
  'step'?: (number);
  'purpose'?: (number);
  'slice'?: (number);
  'offset'?: (number);
  'payload'?: (Buffer | Uint8Array | string);
}

export interface Frame__Output {
  'kind': (number);
  'generation': (number);
  'step': (number);
  'purpose': (number);
  'slice': (number);
  'offset': (number);
  'payload': (Buffer);
}
