/** What is reached without learning features: the figures that the READMEs of examples give beside those of their runs. */
import type { Dataset } from '../../src/data/dataset.js';
import { loadRunModule, openData } from '../../src/own/load-module.js';

/** Rows of numbers, one a sample. */
type Table = readonly (readonly number[])[];

export interface Tables {
  readonly train: { readonly x: Table; readonly y: Table };
  readonly test: { readonly x: Table; readonly y: Table };
}

/** @param path - of an example's module, whose data is not random */
export async function tablesOf(path: string): Promise<Tables> {
  const { train, test } = await openData(path, await loadRunModule(path));
  const tableOf = async (dataset: Dataset) => {
    const { length, x, y } = dataset;
    const samples = await dataset.read([...Array(length).keys()], { seed: 1, epoch: 0 });
    const rows = (values: ArrayLike<number>, shape: readonly number[]): Table => {
      const size = shape.reduce((product, d) => product * d, 1);
      return Array.from({ length }, (_, i) => Array.from({ length: size }, (_, j) => values[i * size + j]!));
    };
    return { x: rows(samples.x, x.shape), y: rows(samples.y, y.shape) };
  };
  return { train: await tableOf(train.data), test: await tableOf(test.data) };
}

/** Mean squared error of always saying the mean of what was trained. */
export function errorOfMean({ train, test }: Tables): number {
  const mean = train.y[0]!.map((_, j) => meanOf(train.y.map((row) => row[j]!)));
  return meanSquaredError(
    test.y.map(() => mean),
    test.y,
  );
}

/** Mean squared error of the best straight line, by least squares. */
export function errorOfLine({ train, test }: Tables): number {
  return meanSquaredError(fitLine(train.x, train.y)(test.x), test.y);
}

/** The share of right answers, two classes, of the best straight line over how often each number is in a sample. */
export function accuracyOfCounts({ train, test }: Tables): number {
  const size = 1 + Math.max(...[...train.x, ...test.x].flat());
  const counts = (rows: Table): Table =>
    rows.map((row) => row.reduce((count, value) => ((count[value]! += 1), count), new Array<number>(size).fill(0)));
  const signs = train.y.map(([label]) => [label === 1 ? 1 : -1]);
  const answers = fitLine(counts(train.x), signs)(counts(test.x));
  return meanOf(test.y.map(([label], i) => ((answers[i]![0]! > 0 ? 1 : 0) === label ? 1 : 0)));
}

/** The share of right answers of always saying the class that most of what was trained has. */
export function shareOfLargestClass({ train, test }: Tables): number {
  const share = ({ y }: Tables['test'], label: number): number => meanOf(y.map(([own]) => (own === label ? 1 : 0)));
  const labels = [...new Set(train.y.map(([label]) => label!))];
  const largest = labels.reduce((best, label) => (share(train, label) > share(train, best) ? label : best));
  return share(test, largest);
}

/** Mean squared error of what the first principal components of the training inputs leave of the test inputs. */
export function errorOfComponents({ train, test }: Tables, components: number): number {
  const mean = train.x[0]!.map((_, j) => meanOf(train.x.map((row) => row[j]!)));
  const centred = (rows: Table): number[][] => rows.map((row) => row.map((value, j) => value - mean[j]!));
  const covariance = product(centred(train.x), centred(train.x));
  const rest = centred(test.x);
  for (let k = 0; k < components; k++) {
    const direction = largestEigenvector(covariance);
    const value = dot(direction, times(covariance, direction));
    covariance.forEach((row, i) => row.forEach((_, j) => (row[j]! -= value * direction[i]! * direction[j]!)));
    for (const row of rest) {
      const along = dot(row, direction);
      row.forEach((_, j) => (row[j]! -= along * direction[j]!));
    }
  }
  return meanOf(rest.flat().map((value) => value * value));
}

/** Least squares with a constant, each output by itself; a trace of a ridge, since columns may depend on each other. */
function fitLine(x: Table, y: Table): (rows: Table) => Table {
  const withConstant = (rows: Table): Table => rows.map((row) => [...row, 1]);
  const [inputs, square] = [withConstant(x), product(withConstant(x), withConstant(x))];
  square.forEach((row, i) => (row[i]! += 1e-6));
  const weights = solve(square, product(inputs, y));
  return (rows) =>
    withConstant(rows).map((row) =>
      weights[0]!.map((_, j) =>
        dot(
          row,
          weights.map((w) => w[j]!),
        ),
      ),
    );
}

/** Gauss's elimination with the largest pivot. */
function solve(matrix: Table, right: Table): number[][] {
  const rows = matrix.map((row, i) => [...row, ...right[i]!]);
  const n = matrix.length;
  for (let k = 0; k < n; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    rows[k] = rows[k]!.map((value) => value / rows[k]![k]!);
    rows.forEach((row, i) => {
      const factor = row[k]!;
      if (i !== k && factor !== 0) rows[i] = row.map((value, j) => value - factor * rows[k]![j]!);
    });
  }
  return rows.map((row) => row.slice(n));
}

/** By repeated multiplication, from a vector that no symmetry makes a wrong one. */
function largestEigenvector(matrix: Table): number[] {
  let vector = matrix.map((_, i) => 1 + ((i * 7919) % 101) / 101);
  for (let turn = 0; turn < 500; turn++) {
    const next = times(matrix, vector);
    const length = Math.sqrt(dot(next, next));
    vector = next.map((value) => value / length);
  }
  return vector;
}

/** The transpose of `a`, times `b`. */
function product(a: Table, b: Table): number[][] {
  const result = a[0]!.map(() => new Array<number>(b[0]!.length).fill(0));
  a.forEach((row, n) => row.forEach((value, i) => b[n]!.forEach((other, j) => (result[i]![j]! += value * other))));
  return result;
}

const times = (matrix: Table, vector: readonly number[]): number[] => matrix.map((row) => dot(row, vector));
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanSquaredError = (answers: Table, labels: Table): number =>
  meanOf(answers.flatMap((row, i) => row.map((value, j) => (value - labels[i]![j]!) ** 2)));
