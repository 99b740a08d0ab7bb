import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, test } from 'node:test';
import { parseHostPort, type HostPort } from '../../../src/core/address.js';
import { loadConfig } from '../../../src/config/index.js';
import type { Network } from '../../../src/cli/first-reachable.js';
import { addressLocator } from '../../../src/cli/locator.js';
import { hostOfNats } from '../../../src/cli/nats-access.js';
import { outwardAddress } from '../../../src/cli/outward-address.js';
import { FakeClock } from '../fake-clock.js';

/** Names with their addresses, and the addresses at which somebody accepts connections. */
class FakeNetwork implements Network {
  readonly knocked: string[] = [];

  constructor(
    private readonly names: Readonly<Record<string, readonly string[]>>,
    readonly open: Set<string>,
  ) {}

  addressesOf(host: string): Promise<readonly string[]> {
    const addresses = this.names[host] ?? (/^[\d.:a-f]+$/.test(host) ? [host] : undefined);
    if (addresses) return Promise.resolve(addresses);
    return Promise.reject(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }));
  }

  knock({ host, port }: HostPort): Promise<string | undefined> {
    this.knocked.push(`${host} ${port}`);
    return Promise.resolve(this.open.has(host) ? undefined : 'connection refused');
  }
}

const at = (...texts: readonly string[]): HostPort[] => texts.map((text) => parseHostPort(text)!);

describe('several addresses of a coordinator', () => {
  test('are given with commas between', () => {
    const load = (text: string) =>
      loadConfig('worker', { flags: new Map([['coordinator', text]]), file: undefined, environment: {} }).config;
    assert.deepEqual(load('a.example:7070,[::1]:7071').coordinator, at('a.example:7070', '[::1]:7071'));
    assert.throws(() => load('a:1,b'), { code: 'BAD_VALUE', message: /--coordinator a:1,b.*HOST:PORT/ });
  });

  const names = { 'both.example': ['10.0.0.1', 'fd00::1'] };

  test('are tried in turn, a name with all of its own, until one accepts', async () => {
    const network = new FakeNetwork(names, new Set(['fd00::1', '10.0.0.9']));
    const locator = addressLocator(at('10.0.0.2:7070', 'both.example:7071', '10.0.0.9:7070'), network);
    assert.equal(await locator.find(), '[fd00::1]:7071');
    assert.deepEqual(network.knocked, ['10.0.0.2 7070', '10.0.0.1 7071', 'fd00::1 7071']);
  });

  test('are looked up again each time, as the coordinator may be elsewhere by then', async () => {
    const network = new FakeNetwork(names, new Set(['10.0.0.1']));
    const locator = addressLocator(at('both.example:7070', '10.0.0.9:7070'), network);
    assert.equal(await locator.find(), '10.0.0.1:7070');
    network.open.clear();
    network.open.add('10.0.0.9');
    assert.equal(await locator.find(), '10.0.0.9:7070');
  });

  test('say what each of them answered when none accepts', async () => {
    const locator = addressLocator(at('both.example:7070', 'gone.example:7070'), new FakeNetwork(names, new Set()));
    await assert.rejects(locator.find(), {
      code: 'COORDINATOR_UNREACHABLE',
      message:
        'no coordinator answered at both.example:7070,gone.example:7070 within 0 s (' +
        '10.0.0.1:7070 (both.example): connection refused; [fd00::1]:7070 (both.example): connection refused; ' +
        'gone.example:7070: the name has no address)',
    });
  });

  test('are waited for, which is said once', async () => {
    const clock = new FakeClock();
    const network = new FakeNetwork(names, new Set());
    let said = 0;
    const waiting = addressLocator(at('10.0.0.1:7070'), network).wait(60, clock, () => (said += 1));
    for (let ms = 0; ms < 5_000; ms += 250) {
      await new Promise(setImmediate);
      clock.advance(250);
    }
    network.open.add('10.0.0.1');
    await new Promise(setImmediate);
    clock.advance(250);
    assert.equal(await waiting, '10.0.0.1:7070');
    assert.equal(said, 1);
  });
});

describe('the address that others are told', () => {
  const one = (address: string, internal = false): NetworkInterfaceInfo[] => [
    {
      address,
      internal,
      netmask: '',
      mac: '',
      ...(address.includes(':') ? { family: 'IPv6', cidr: null, scopeid: 0 } : { family: 'IPv4', cidr: null }),
    },
  ];
  const interfaces = {
    lo: one('127.0.0.1', true),
    docker0: one('172.17.0.1'),
    eth0: [...one('fe80::1'), ...one('10.0.0.5')],
    eth1: [...one('192.168.7.5'), ...one('2001:db8::5')],
  };

  test('is the one from which the way leads out, where the host has several', () => {
    assert.equal(outwardAddress('0.0.0.0', '192.168.7.5', interfaces), '192.168.7.5');
    assert.equal(outwardAddress('::', '2001:db8::5', interfaces), '2001:db8::5');
  });

  test('is the first one of a network otherwise, and never a bridge, loopback or of the link alone', () => {
    for (const routed of [undefined, '127.0.0.1', '172.17.0.1', '10.9.9.9'])
      assert.equal(outwardAddress('0.0.0.0', routed, interfaces), '10.0.0.5');
    const alone = { lo: interfaces.lo, eth0: [...one('fe80::1'), ...one('2001:db8::7')] };
    assert.equal(outwardAddress('::', undefined, alone), '2001:db8::7');
    assert.equal(outwardAddress('0.0.0.0', undefined, alone), undefined);
  });

  test('is sought in the network of NATS, by whichever form of its URL', () => {
    assert.deepEqual(hostOfNats('nats://10.0.0.9:4333,nats://10.0.0.8:4222'), { host: '10.0.0.9', port: 4333 });
    assert.deepEqual(hostOfNats('tls://[fd00::9]'), { host: 'fd00::9', port: 4222 });
    assert.deepEqual(hostOfNats('queue.example:4222'), { host: 'queue.example', port: 4222 });
  });
});
