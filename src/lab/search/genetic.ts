import { pow } from '../../core/maths.js';
import { randomPlaces, type Position, type SearchMethod, type SearchOptions } from './places.js';

/**
 * How near children stay to their parents, and mutants to what they were: the larger, the nearer. With 8 in a generation,
 * 10 and 20 lost their variety before they had found anything.
 */
const crossoverSpread = 5;
const mutationSpread = 5;
const crossoverShare = 0.9;

interface Individual {
  readonly place: Position;
  readonly score: number;
}

/**
 * A real-coded genetic algorithm: tournaments of two, simulated binary crossover and polynomial mutation (Deb & Agrawal
 * 1995), and the best of parents and children go on (as in NSGA-II).
 */
export function genetic({ dimensions, population, random }: SearchOptions): SearchMethod {
  let parents: readonly Individual[] = [];
  let children: readonly Position[] = [];

  const winner = (): Individual => {
    const [a, b] = [0, 0].map(() => parents[Math.floor(random.uniform() * parents.length)]!) as [
      Individual,
      Individual,
    ];
    return b.score > a.score ? b : a;
  };

  function cross(a: Position, b: Position): [number[], number[]] {
    const [first, second] = [[...a], [...b]];
    if (random.uniform() >= crossoverShare) return [first, second];
    for (let d = 0; d < dimensions; d++) {
      const u = random.uniform();
      const power = 1 / (crossoverSpread + 1);
      const spread = u <= 0.5 ? pow(2 * u, power) : pow(1 / (2 * (1 - u)), power);
      first[d] = inside(0.5 * ((1 + spread) * a[d]! + (1 - spread) * b[d]!));
      second[d] = inside(0.5 * ((1 - spread) * a[d]! + (1 + spread) * b[d]!));
    }
    return [first, second];
  }

  /** One coordinate on average. */
  function mutate(place: number[]): Position {
    return place.map((x) => {
      if (random.uniform() >= 1 / dimensions) return x;
      const u = random.uniform();
      const power = 1 / (mutationSpread + 1);
      return inside(x + (u < 0.5 ? pow(2 * u, power) - 1 : 1 - pow(2 * (1 - u), power)));
    });
  }

  return {
    propose() {
      if (parents.length === 0) return (children = randomPlaces(population, dimensions, random));
      const made: Position[] = [];
      while (made.length < population) made.push(...cross(winner().place, winner().place).map(mutate));
      return (children = made.slice(0, population));
    },
    learn(scores) {
      const born = children.map((place, i) => ({ place, score: scores[i]! }));
      parents = [...parents, ...born].sort((a, b) => b.score - a.score || 0).slice(0, population);
    },
  };
}

function inside(x: number): number {
  return Math.min(1, Math.max(0, x));
}
