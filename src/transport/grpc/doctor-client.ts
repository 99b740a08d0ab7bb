import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Clock } from '../../core/clock.js';
import type { Identity } from '../../security/identity.js';
import { channelOptions, reasonOf } from './channels.js';
import { DoctorClient } from './definitions.js';
import type { DoctorClient as GrpcClient } from './generated/lockstep/v1/Doctor.js';
import type { Filling__Output } from './generated/lockstep/v1/Filling.js';
import type { GreetResponse__Output } from './generated/lockstep/v1/GreetResponse.js';
import type { KnockResponse__Output } from './generated/lockstep/v1/KnockResponse.js';
import { channelSecurity } from './secure-client.js';

const patienceMs = 10_000;

/** Asks a coordinator what `lockstep doctor` wants to know, on a connection as a worker has it. */
export class DoctorConnection {
  private readonly client: GrpcClient;

  constructor(
    address: string,
    private readonly clock: Clock,
    identity: Identity | undefined,
  ) {
    const { channelCredentials, securityOptions } = channelSecurity(identity, 'coordinator');
    this.client = new DoctorClient(address, channelCredentials, { ...channelOptions, ...securityOptions });
  }

  /** @throws Error in words; isUnknownCall says whether the coordinator is too old to know the question */
  greet(): Promise<GreetResponse__Output> {
    return this.ask<GreetResponse__Output>((done) => this.client.greet({}, done));
  }

  /** @returns an empty text if the coordinator's host reaches the port at ours, or why not */
  async knock(port: number): Promise<string> {
    return (await this.ask<KnockResponse__Output>((done) => this.client.knock({ port }, done))).reason;
  }

  /** Receives so many bytes, or what comes in `limitMs`. @returns bytes and the time that they took, connecting left out */
  async download(bytes: number, limitMs: number): Promise<{ readonly bytes: number; readonly ms: number }> {
    const call = this.client.download({ bytes });
    let received = 0;
    let beganMs: number | undefined;
    const cancel = this.clock.setTimer(limitMs, () => call.cancel());
    try {
      for await (const { data } of call as AsyncIterable<Filling__Output>) {
        if (beganMs === undefined)
          beganMs = this.clock.nowMs(); //     the first one tells when it begins
        else received += data.length;
      }
    } catch (error) {
      if ((error as ServiceError).code !== status.CANCELLED) throw new Error(reasonOf(error), { cause: error });
    } finally {
      cancel();
    }
    return { bytes: received, ms: this.clock.nowMs() - (beganMs ?? this.clock.nowMs()) };
  }

  close(): void {
    this.client.close();
  }

  private async ask<Answer>(
    start: (done: (error: ServiceError | null, answer?: Answer) => void) => { cancel(): void },
  ): Promise<Answer> {
    let cancel = (): void => undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const call = start((error, answer) => (error ? reject(error) : resolve(answer!)));
        cancel = this.clock.setTimer(patienceMs, () => call.cancel());
      });
    } catch (error) {
      throw new Error(reasonOf(error), { cause: error });
    } finally {
      cancel();
    }
  }
}

/** Whether the other side knows no such service. */
export function isUnknownCall(error: unknown): boolean {
  const { cause } = error as { cause?: ServiceError };
  return cause?.code === status.UNIMPLEMENTED;
}
