import { status, type handleUnaryCall, type Server, type ServerWritableStream } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import { numericsVersion, protocolVersion } from '../../core/versions.js';
import { knock as knockAt } from '../knock.js';
import { doctorService } from './definitions.js';
import type { DownloadRequest__Output } from './generated/lockstep/v1/DownloadRequest.js';
import type { Filling } from './generated/lockstep/v1/Filling.js';
import type { GreetRequest__Output } from './generated/lockstep/v1/GreetRequest.js';
import type { GreetResponse } from './generated/lockstep/v1/GreetResponse.js';
import type { KnockRequest__Output } from './generated/lockstep/v1/KnockRequest.js';
import type { KnockResponse } from './generated/lockstep/v1/KnockResponse.js';

/** What the coordinator says about itself. */
export interface DoctorFacts {
  readonly packageVersion: string;
  readonly wallTimeMs: () => number;
  readonly clock: Clock;
}

/** Whoever asks is no load for the run: a second or two of a fast network, to few at a time. */
const downloadBytesMax = 64 * 1024 * 1024;
const downloadsMax = 2;
const knocksMax = 4;
const chunkBytes = 256 * 1024;
const knockMs = 3_000;
/** No service of the system is knocked at in somebody else's name. */
const knockPortLeast = 1024;

export function addDoctor(server: Server, runId: string, { packageVersion, wallTimeMs, clock }: DoctorFacts): void {
  let downloads = 0;
  let knocks = 0;
  const greet: handleUnaryCall<GreetRequest__Output, GreetResponse> = (call, answer) =>
    answer(null, {
      ...{ packageVersion, protocolVersion, numericsVersion, runId },
      wallTimeMs: wallTimeMs(),
      seenAt: hostOf(call.getPeer()),
    });

  const download = async (call: ServerWritableStream<DownloadRequest__Output, Filling>): Promise<void> => {
    if (downloads >= downloadsMax)
      return void call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'others measure at the moment' });
    downloads += 1;
    let isGone = false;
    let goOn = (): void => undefined;
    call.on('cancelled', () => {
      isGone = true;
      goOn();
    });
    const data = Buffer.alloc(chunkBytes);
    for (let left = Math.min(call.request.bytes, downloadBytesMax); left > 0 && !isGone; left -= chunkBytes)
      if (!call.write({ data: data.subarray(0, Math.min(left, chunkBytes)) }))
        await new Promise<void>((resolve) => {
          goOn = resolve;
          call.once('drain', resolve);
        });
    downloads -= 1;
    call.end();
  };

  const knock: handleUnaryCall<KnockRequest__Output, KnockResponse> = (call, answer) => {
    const { port } = call.request;
    if (port < knockPortLeast || port > 65_535)
      return answer({ code: status.INVALID_ARGUMENT, details: `port ${port} is not tried` });
    if (knocks >= knocksMax) return answer({ code: status.RESOURCE_EXHAUSTED, details: 'others ask at the moment' });
    knocks += 1;
    void knockAt({ host: hostOf(call.getPeer()), port }, clock, knockMs).then(
      (error: NodeJS.ErrnoException | undefined) => {
        knocks -= 1;
        answer(null, { reason: error?.code ?? error?.message ?? '' });
      },
    );
  };

  server.addService(doctorService, {
    Greet: greet,
    Download: (call: ServerWritableStream<DownloadRequest__Output, Filling>) => void download(call),
    Knock: knock,
  });
}

/** `10.0.0.4` of `10.0.0.4:51234`, `::1` of `[::1]:51234` or `::1:51234`. */
function hostOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
