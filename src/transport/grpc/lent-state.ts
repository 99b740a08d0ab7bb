import { connect as connectHttp2 } from 'node:http2';
import { exchangeProtoService } from './definitions.js';
import type { PullStateRequest } from './generated/lockstep/v1/PullStateRequest.js';
import type { StateChunk__Output } from './generated/lockstep/v1/StateChunk.js';
import { onRefusal, requestHeaders, windowBytes, withPrefix } from './grpc-http2.js';
import type { LentConnections } from './lent-connections.js';
import { MessageAssembler } from './message-assembler.js';

/** Calls `PullState` over a connection that a worker has lent, which ends with the call. @throws Error when it is refused or breaks */
export async function* lentState(
  lent: LentConnections,
  address: string,
  request: PullStateRequest,
  end: AbortSignal,
): AsyncGenerator<StateChunk__Output, void, void> {
  const connection = await lent.take(address, end);
  end.addEventListener('abort', () => connection.destroy(end.reason as Error));
  const { path, requestSerialize, responseDeserialize } = exchangeProtoService.PullState;
  const session = connectHttp2('http://lent', {
    createConnection: () => connection,
    settings: { initialWindowSize: windowBytes, enablePush: false },
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
  });
  let failure: Error | undefined;
  session.on('error', (error: Error) => (failure ??= error));
  const stream = session.request(requestHeaders(path));
  onRefusal(stream, (reason) => (failure ??= new Error(reason)));
  stream.on('error', (error: Error) => (failure ??= error));
  stream.end(withPrefix(requestSerialize(request)));
  const chunks: StateChunk__Output[] = [];
  const assembler = new MessageAssembler((message) => chunks.push(responseDeserialize(Buffer.from(message))));
  try {
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      assembler.push(bytes);
      yield* chunks.splice(0);
    }
    if (failure) throw failure; //                                  a status that is not OK comes with or behind the data
    if (stream.rstCode !== 0) throw new Error('the connection broke');
  } finally {
    session.destroy();
  }
}
