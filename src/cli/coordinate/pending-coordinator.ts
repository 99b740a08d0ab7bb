import type { Coordinator } from '../../coordinator/coordinator.js';
import type { Health } from '../../metrics/index.js';

/**
 * The coordinator of a run, for whoever calls before it is there: the ports must be known to be free before the folder is
 * made that it needs.
 */
export class PendingCoordinator {
  private present: Coordinator | undefined;
  private isDraining = false;
  private arrive!: (coordinator: Coordinator) => void;
  private readonly arrival = new Promise<Coordinator>((resolve) => (this.arrive = resolve));

  /** @param call - made when it is there */
  whenThere(call: (coordinator: Coordinator) => void): void {
    void this.arrival.then(call);
  }

  begin(coordinator: Coordinator): void {
    this.present = coordinator;
    this.arrive(coordinator);
  }

  /** It was asked to end the run: probes and balancers send nobody here any more. */
  drain(): void {
    this.isDraining = true;
  }

  /** For /healthz and /readyz. */
  get health(): Health {
    const state = this.state;
    return {
      healthy: state !== 'failed',
      ready: !['starting', 'stopping', 'failed', 'ended'].includes(state),
      state,
    };
  }

  private get state(): string {
    const phase = this.present?.phase ?? 'starting';
    return this.isDraining && !['failed', 'ended'].includes(phase) ? 'stopping' : phase;
  }
}
