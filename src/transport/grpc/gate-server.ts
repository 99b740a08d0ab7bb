import { Server, ServerCredentials, status, type handleUnaryCall } from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import type { RefusalReason } from '../../core/refusals.js';
import { refusalInWords, type OnRefused } from '../../security/identity.js';
import { coordinatorService, doctorService, gateService } from './definitions.js';
import type { EnrolRequest__Output } from './generated/lockstep/v1/EnrolRequest.js';
import type { EnrolResponse } from './generated/lockstep/v1/EnrolResponse.js';

/** Who may join is decided elsewhere: `src/security/enrolment.ts`. */
export interface GateKeeper {
  enrol(token: string, name: string, publicKey: Uint8Array): Promise<EnrolResponse | RefusalReason>;
  renew(name: string, publicKey: Uint8Array): Promise<EnrolResponse>;
}

type EnrolHandler = handleUnaryCall<EnrolRequest__Output, EnrolResponse>;

/** Certificates that may be in the making at a time: each costs a signature, and whoever asks may be anybody. */
const pendingMax = 64;
const strangerOptions = { 'grpc.max_receive_message_length': 64 * 1024, 'grpc.max_concurrent_streams': 4 };

/** `Enrol` for those who have shown a certificate: it is renewed. */
export function renewal(keeper: GateKeeper): EnrolHandler {
  return ({ request }, answer) => {
    keeper.renew(request.name, request.publicKey).then(
      (enrolled) => answer(null, enrolled),
      (error: unknown) => answer({ code: status.INVALID_ARGUMENT, details: (error as Error).message }),
    );
  };
}

/**
 * What strangers reach, and all that they reach: a server of its own, which knows `Enrol` and no state of the run. Every
 * other call is answered with the reason for which it is not let in.
 */
export class GateServer {
  private readonly injectors = new Map<RefusalReason, ReturnType<Server['createConnectionInjector']>>();
  private readonly servers: Server[] = [];
  private pending = 0;

  constructor(
    private readonly keeper: GateKeeper | undefined,
    private readonly onRefused: OnRefused,
  ) {}

  /** A connection of somebody who showed no certificate of the run. */
  take(socket: Duplex, reason: RefusalReason): void {
    let injector = this.injectors.get(reason);
    if (!injector) this.injectors.set(reason, (injector = this.create(reason)));
    injector.injectConnection(socket);
  }

  stop(): void {
    for (const server of this.servers) server.forceShutdown();
  }

  private create(reason: RefusalReason): ReturnType<Server['createConnectionInjector']> {
    const server = new Server(strangerOptions);
    const refuse = (why: RefusalReason, from: string) => {
      this.onRefused(why, from);
      return { code: status.UNAUTHENTICATED, details: refusalInWords[why] };
    };
    const mayEnrol = reason === 'no-certificate' && this.keeper !== undefined;
    const enrol: EnrolHandler = (call, answer) => {
      if (!mayEnrol) return answer(refuse(reason, call.getPeer()));
      if (this.pending >= pendingMax) return answer(refuse('too-many', call.getPeer()));
      this.pending += 1;
      const { token, name, publicKey } = call.request;
      this.keeper
        .enrol(token, name, publicKey)
        .then(
          (outcome) => (typeof outcome === 'string' ? answer(refuse(outcome, call.getPeer())) : answer(null, outcome)),
          (error: unknown) => answer({ code: status.INVALID_ARGUMENT, details: (error as Error).message }),
        )
        .finally(() => (this.pending -= 1));
    };
    const no = (call: { getPeer(): string; emit(event: 'error', error: unknown): unknown }): void =>
      void call.emit('error', refuse(reason, call.getPeer()));
    server.addService(gateService, { Enrol: enrol });
    server.addService(coordinatorService, { Join: no, FetchBlob: no });
    const noAnswer: handleUnaryCall<unknown, unknown> = (call, answer) => answer(refuse(reason, call.getPeer()));
    server.addService(doctorService, { Greet: noAnswer, Download: no, Knock: noAnswer });
    this.servers.push(server);
    return server.createConnectionInjector(ServerCredentials.createInsecure());
  }
}
