import { median } from '../src/measure/exchange-figures.js';

export { median };

/** Milliseconds of one call: the median of so many. */
export async function timed(step: () => void | Promise<void>, repeats: number): Promise<number> {
  const spent: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const begin = performance.now();
    await step();
    spent.push(performance.now() - begin);
  }
  return median(spent);
}
