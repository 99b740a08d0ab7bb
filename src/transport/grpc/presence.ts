import type { Server } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { definition } from './definitions.js';

/** Of the whole server, as probes ask, and by name. */
const services = ['', 'lockstep.v1.Coordinator'];

/** What gRPC's own tools ask a server: how it is (`grpc.health.v1.Health`), and what it has (reflection). */
export class Presence {
  private readonly health = new HealthImplementation();

  /** @param isReflected - whether everybody who comes as far as this may know what there is */
  constructor(server: Server, { isReflected }: { readonly isReflected: boolean }) {
    this.serving(false);
    this.health.addToServer(server);
    if (isReflected) new ReflectionService(definition).addToServer(server);
  }

  serving(isServing: boolean): void {
    for (const service of services) this.health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING');
  }
}
