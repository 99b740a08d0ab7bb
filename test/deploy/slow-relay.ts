/** A program: passes TCP connections on, 50 ms later, and stalls for half a second now and then. PORT HOST PORT. */
import { connect, createServer, type Socket } from 'node:net';

const [port, targetHost, targetPort] = process.argv.slice(2);
const delayMs = 50;
const stallMs = 500;
const stallEvery = 400;

let passed = 0;

function pass(from: Socket, to: Socket): void {
  let earliestMs = 0;
  from.on('data', (bytes: Buffer) => {
    passed += 1;
    const dueMs = performance.now() + delayMs + (passed % stallEvery === 0 ? stallMs : 0);
    earliestMs = Math.max(earliestMs, dueMs); //                       nothing overtakes what was stalled
    setTimeout(() => to.destroyed || to.write(bytes), earliestMs - performance.now());
  });
  from.on('close', () => setTimeout(() => to.destroy(), delayMs)).on('error', () => undefined);
}

createServer((near) => {
  const far = connect(Number(targetPort), targetHost);
  pass(near, far);
  pass(far, near);
}).listen(Number(port), '127.0.0.1', () => console.log('listening'));
