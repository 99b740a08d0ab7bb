/** Tables with named columns as data sets: what CSV and Parquet have in common. */
import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { arrays } from './arrays.js';

/** Which columns are what. */
export interface TableColumns {
  /** Columns with the inputs, in their order: one sample has the shape [x.length]. */
  readonly x: readonly string[];
  /** The column, or columns, with the label. */
  readonly y: string | readonly string[];
  /** The label's values in the order of their class numbers; without it the label is a number, or several. */
  readonly classes?: readonly string[];
}

export interface Table {
  readonly length: number;
  readonly names: readonly string[];
  /** @returns undefined where there is none of this name */
  readonly column: (name: string) => readonly unknown[] | undefined;
}

/** @throws LockstepError `READER_INPUT` for a column that is not there, and a value that is no number or class */
export function tableDataset(path: string, table: Table, { x, y, classes }: TableColumns): Dataset {
  const numbers = (names: readonly string[]): Float32Array => {
    const values = new Float32Array(table.length * names.length);
    names.forEach((name, at) =>
      columnOf(path, table, name).forEach(
        (value, row) => (values[row * names.length + at] = numberOf(path, name, row, value)),
      ),
    );
    return values;
  };
  const labels = [y].flat();
  const inputs = { values: numbers(x), shape: [x.length] };
  if (!classes) return arrays({ x: inputs, y: { values: numbers(labels), shape: [labels.length] } }, path);
  const [name = ''] = labels;
  const numberOfClass = (value: unknown, row: number): number => {
    const found = classes.indexOf(String(value));
    if (found >= 0) return found;
    const reason = `row ${row + 1} has the class ${String(value)} in ${name}, not one of ${classes.join(', ')}`;
    throw fault('READER_INPUT', { path, reason });
  };
  return arrays({ x: inputs, y: { values: Int32Array.from(columnOf(path, table, name), numberOfClass) } }, path);
}

function columnOf(path: string, { names, column }: Table, name: string): readonly unknown[] {
  const found = column(name);
  if (found) return found;
  throw fault('READER_INPUT', { path, reason: `it has no column ${name}; there are ${names.join(', ')}` });
}

function numberOf(path: string, name: string, row: number, value: unknown): number {
  const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
  if (Number.isFinite(number) && value !== null) return number;
  throw fault('READER_INPUT', {
    path,
    reason: `row ${row + 1} has ${JSON.stringify(value) ?? 'nothing'} in ${name}, which is no number`,
  });
}
