import type { Engine } from '../engine.js';

/** Where the loss compares outputs with targets, a class is a 1 among zeros, or with one output itself. */
export function writeTargets({ y, targets }: Pick<Engine, 'y' | 'targets'>, m: number): void {
  const outputs = targets.length / y.length;
  if (outputs === 1) targets.set(y.subarray(0, m));
  else if (outputs > 1) {
    targets.fill(0, 0, m * outputs);
    for (let i = 0; i < m; i++) targets[i * outputs + y[i]!] = 1;
  }
}
