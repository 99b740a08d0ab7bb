/** Hosts on a switch, as network namespaces: root and iproute2 can make them, and nothing of this machine is touched. */

import { spawnSync } from 'node:child_process';

export function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr}`);
}

export class Switch {
  private readonly hosts: string[] = [];
  private readonly prefix = `ls${process.pid}`;
  /** The switch itself is in one, too. */
  private readonly own = `${this.prefix}-switch`;

  /** @throws Error where there can be none */
  start(): void {
    ip('netns', 'add', this.own);
    ip('-n', this.own, 'link', 'add', 'switch', 'type', 'bridge');
    ip('-n', this.own, 'link', 'set', 'switch', 'up');
  }

  /** One more host, with a cable to the switch. */
  add(host: string): void {
    const port = `port${this.hosts.push(host)}`;
    const name = this.nameOf(host);
    ip('netns', 'add', name);
    ip('link', 'add', 'cable', 'netns', name, 'type', 'veth', 'peer', 'name', port, 'netns', this.own);
    ip('-n', this.own, 'link', 'set', port, 'master', 'switch', 'up');
    ip('-n', name, 'addr', 'add', `${this.addressOf(host)}/24`, 'dev', 'cable');
    for (const device of ['lo', 'cable']) ip('-n', name, 'link', 'set', device, 'up');
  }

  has(host: string): boolean {
    return this.hosts.includes(host);
  }

  /** Pulls the cable of a host, or puts it in again. */
  setCable(host: string, state: 'up' | 'down'): void {
    ip('-n', this.nameOf(host), 'link', 'set', 'cable', state);
  }

  addressOf(host: string): string {
    return `10.204.61.${this.hosts.indexOf(host) + 1}`;
  }

  /** Of its namespace, as `ip netns` has it. */
  nameOf(host: string): string {
    return `${this.prefix}-${host}`;
  }

  /** What stands before a command that is to run on a host. */
  inside(host: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.nameOf(host)];
  }

  /** Leaves nothing; what ran there has to have ended. */
  remove(): void {
    for (const name of [...this.hosts.map((host) => this.nameOf(host)), this.own])
      spawnSync('ip', ['netns', 'del', name]);
  }
}
