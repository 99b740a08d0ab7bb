import type { Bucket } from '../transport/nats/bucket.js';
import type { NodeRecord } from '../transport/nats/run-ledger.js';
import { fault } from './faults.js';

/**
 * The name under which an agent is known, which only one has: places of runs and the queue know agents by it. The successor
 * of an agent has its folder, and so its instance; anybody else waits until what an agent announced has run out.
 */
export class AgentName {
  /** What somebody else had announced when it was first seen. */
  private othersRevision: number | undefined;
  private hasBeenOurs = false;

  constructor(
    private readonly nodes: Pick<Bucket<NodeRecord>, 'get' | 'put'>,
    private readonly name: string,
  ) {}

  get isOurs(): boolean {
    return this.hasBeenOurs;
  }

  /**
   * Announces the agent, time and again.
   *
   * @returns whether the name is ours; if not, whose it is may be seen the next time
   * @throws LockstepError `AGENT_NAME_TAKEN` if another agent of that name lives
   */
  async keep(record: NodeRecord): Promise<boolean> {
    const there = await this.nodes.get(this.name);
    if (there && (there.value.instance !== record.instance || there.value.host !== record.host)) {
      this.othersRevision ??= there.revision;
      if (!this.hasBeenOurs && there.revision === this.othersRevision) return false;
      throw fault('AGENT_NAME_TAKEN', { name: this.name, host: there.value.host });
    }
    await this.nodes.put(this.name, record);
    this.hasBeenOurs = true;
    return true;
  }
}
