// Original file: proto/exchange.proto


export interface PullRequest {
  'runId'?: (string);
  'term'?: (number);
  'generation'?: (number);
  'rank'?: (number);
}

export interface PullRequest__Output {
  'runId': (string);
  'term': (number);
  'generation': (number);
  'rank': (number);
}
