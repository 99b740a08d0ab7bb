/** How tensors begin, as Keras and TensorFlow.js define it, drawn with our own random numbers and our own maths. */
import { cos, log } from '../core/maths.js';
import { randomStream, type RandomStream } from '../core/random.js';
import { sizeOf } from '../core/shape.js';

export interface DrawnTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Fills the tensor; float64 until each value is stored. */
export type Initialiser = (tensor: DrawnTensor, seed: number, values: Float32Array) => void;

/** As the JSON of a model has it. */
export interface InitialiserConfig {
  readonly class_name: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

type Settings = Readonly<Record<string, unknown>>;

const numberOf = (settings: Settings, key: string, otherwise: number): number => {
  const value = settings[key];
  return typeof value === 'number' ? value : otherwise;
};

const textOf = (settings: Settings, key: string, otherwise: string): string => {
  const value = settings[key];
  return typeof value === 'string' ? value.replaceAll('_', '').toLowerCase() : otherwise;
};

const scaled = (scale: number, mode: string, distribution: string): InitialiserConfig => ({
  class_name: 'VarianceScaling',
  config: { scale, mode, distribution },
});

/** What Keras gives names of their own. */
const aliases: Readonly<Record<string, InitialiserConfig>> = {
  GlorotUniform: scaled(1, 'fanAvg', 'uniform'),
  GlorotNormal: scaled(1, 'fanAvg', 'normal'),
  HeUniform: scaled(2, 'fanIn', 'uniform'),
  HeNormal: scaled(2, 'fanIn', 'normal'),
  LeCunUniform: scaled(1, 'fanIn', 'uniform'),
  LeCunNormal: scaled(1, 'fanIn', 'normal'),
  LecunUniform: scaled(1, 'fanIn', 'uniform'),
  LecunNormal: scaled(1, 'fanIn', 'normal'),
};

const makers: Readonly<Record<string, (settings: Settings) => Initialiser>> = {
  Zeros: () => constant(0),
  Ones: () => constant(1),
  Constant: (settings) => constant(numberOf(settings, 'value', 0)),
  RandomUniform: (settings) => {
    const [least, most] = [numberOf(settings, 'minval', -0.05), numberOf(settings, 'maxval', 0.05)];
    return drawn((random) => least + random.uniform() * (most - least));
  },
  RandomNormal: (settings) => normal(numberOf(settings, 'mean', 0), numberOf(settings, 'stddev', 0.05), Infinity),
  TruncatedNormal: (settings) => normal(numberOf(settings, 'mean', 0), numberOf(settings, 'stddev', 0.05), 2),
  VarianceScaling: (settings) => (tensor, seed, values) => {
    const [fanIn, fanOut] = fans(tensor.shape);
    const mode = textOf(settings, 'mode', 'fanin');
    const fan = mode === 'fanin' ? fanIn : mode === 'fanout' ? fanOut : (fanIn + fanOut) / 2;
    const variance = numberOf(settings, 'scale', 1) / Math.max(1, fan);
    const distribution = textOf(settings, 'distribution', 'normal');
    const deviationsMax = distribution.startsWith('untruncated') ? Infinity : 2;
    const initialise =
      distribution === 'uniform' ? uniform(Math.sqrt(3 * variance)) : normal(0, Math.sqrt(variance), deviationsMax);
    initialise(tensor, seed, values);
  },
  Orthogonal: (settings) => orthogonal(numberOf(settings, 'gain', 1)),
  Identity: (settings) => (tensor, _seed, values) => {
    const columns = tensor.shape.at(-1)!;
    values.fill(0);
    for (let i = 0; i < values.length; i += columns + 1) values[i] = numberOf(settings, 'gain', 1);
  },
};

/** Keras spells two of them in two ways. */
export const initialiserNames: readonly string[] = [...Object.keys(makers), ...Object.keys(aliases)].filter(
  (name) => !name.startsWith('Lecun'),
);

/** @returns undefined for a class that is not known */
export function initialiserOf({ class_name: name, config = {} }: InitialiserConfig): Initialiser | undefined {
  const alias = aliases[name];
  return alias ? initialiserOf(alias) : makers[name]?.(config);
}

export const constant =
  (value: number): Initialiser =>
  (_tensor, _seed, values) =>
    void values.fill(value);

/** In [-limit, limit). */
export const uniform = (limit: number): Initialiser => drawn((random) => (2 * random.uniform() - 1) * limit);

/** Uniform, by Glorot and Bengio 2010. */
export const glorotUniform = initialiserOf(aliases['GlorotUniform']!)!;

/** Values further from the mean than so many deviations are drawn again. */
const normal = (mean: number, deviation: number, deviationsMax: number): Initialiser =>
  drawn((random) => {
    for (;;) {
      const value = standardNormal(random);
      if (Math.abs(value) <= deviationsMax) return mean + value * deviation;
    }
  });

function drawn(draw: (random: RandomStream) => number): Initialiser {
  return ({ name }, seed, values) => {
    const random = randomStream(seed, 'initial-weights', name);
    for (let i = 0; i < values.length; i++) values[i] = draw(random);
  };
}

/** Box and Muller's, of which the sine is left out. */
function standardNormal(random: RandomStream): number {
  const radius = Math.sqrt(-2 * log(1 - random.uniform()));
  return radius * cos(2 * Math.PI * random.uniform());
}

/** Inputs and outputs as Keras counts them: of a convolution, receptive field times channels on either side. */
function fans(shape: readonly number[]): readonly [number, number] {
  const size = sizeOf(shape);
  if (shape.length < 2) return [Math.sqrt(size), Math.sqrt(size)];
  const receptiveField = sizeOf(shape.slice(0, -2));
  return [receptiveField * shape.at(-2)!, receptiveField * shape.at(-1)!];
}

/** Rows, or columns where there are fewer of them, that are orthogonal and `gain` long: normal ones, by Gram and Schmidt. */
function orthogonal(gain: number): Initialiser {
  return ({ name, shape }, seed, values) => {
    const columns = shape.at(-1)!;
    const rows = values.length / columns;
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    const random = randomStream(seed, 'initial-weights', name);
    const vectors: Float64Array[] = [];
    while (vectors.length < count) {
      const vector = Float64Array.from({ length }, () => standardNormal(random));
      for (let pass = 0; pass < 2; pass++)
        //                     the second takes away what rounding left
        for (const other of vectors) subtract(vector, other, dot(vector, other));
      const norm = Math.sqrt(dot(vector, vector));
      vectors.push(vector.map((value) => value / norm));
    }
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++)
        values[i * columns + j] = gain * (rows < columns ? vectors[i]![j]! : vectors[j]![i]!);
  };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function subtract(from: Float64Array, vector: Float64Array, times: number): void {
  for (let i = 0; i < from.length; i++) from[i] = from[i]! - times * vector[i]!;
}
