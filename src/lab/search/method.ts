import { genetic } from './genetic.js';
import { particleSwarm } from './particle-swarm.js';
import { randomPlaces, type SearchMethod, type SearchOptions } from './places.js';

export const methods = { pso: particleSwarm, ga: genetic, random: uniform } as const satisfies Record<
  string,
  (options: SearchOptions) => SearchMethod
>;
export type MethodName = keyof typeof methods;

/** What the other two have to beat. */
function uniform({ dimensions, population, random }: SearchOptions): SearchMethod {
  return { propose: () => randomPlaces(population, dimensions, random), learn: () => undefined };
}
