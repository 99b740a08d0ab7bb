import { randomPlaces, type SearchMethod, type SearchOptions } from './places.js';

/** Clerc & Kennedy 2002, "The particle swarm": constriction that lets a swarm come to rest. */
const constriction = 0.7298;
const pull = 2.05;

/**
 * Particles that remember their own best place and know the swarm's:
 *
 *     v = chi (v + c r1 (own best - x) + c r2 (swarm's best - x));  x = x + v
 *
 * A particle that would leave the unit cube stops at its side.
 */
export function particleSwarm({ dimensions, population, random }: SearchOptions): SearchMethod {
  const places = randomPlaces(population, dimensions, random).map((place) => [...place]);
  const velocities = places.map((place) => place.map(() => 0));
  const bests = places.map((place) => ({ place: [...place], score: -Infinity }));
  let isFirst = true;

  function move(): void {
    const swarm = bests.reduce((best, own) => (own.score > best.score ? own : best));
    for (const [i, x] of places.entries()) {
      const v = velocities[i]!;
      for (let d = 0; d < dimensions; d++) {
        const toOwn = pull * random.uniform() * (bests[i]!.place[d]! - x[d]!);
        const toSwarm = pull * random.uniform() * (swarm.place[d]! - x[d]!);
        v[d] = constriction * (v[d]! + toOwn + toSwarm);
        const next = x[d]! + v[d]!;
        x[d] = Math.min(1, Math.max(0, next));
        if (x[d] !== next) v[d] = 0;
      }
    }
  }

  return {
    propose() {
      if (!isFirst) move();
      isFirst = false;
      return places.map((place) => [...place]);
    },
    learn(scores) {
      for (const [i, score] of scores.entries())
        if (score > bests[i]!.score) bests[i] = { place: [...places[i]!], score };
    },
  };
}
