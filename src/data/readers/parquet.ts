import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';

import type { Dataset } from '../dataset.js';
import { fault } from '../faults.js';
import { pathOf, type FilePath } from './paths.js';
import { tableDataset, type TableColumns } from './table.js';

/**
 * Columns of a Parquet file, whole in memory; uncompressed or with Snappy.
 *
 * @throws LockstepError `READER_INPUT`
 */
export async function parquet(file: FilePath, columns: TableColumns): Promise<Dataset> {
  const path = pathOf(file);
  try {
    const buffer = await asyncBufferFromFile(path);
    const { schema } = await parquetMetadataAsync(buffer);
    const names = schema.slice(1).map(({ name }) => name);
    const wanted = [...new Set([...columns.x, ...[columns.y].flat()])].filter((name) => names.includes(name));
    const rows = await parquetReadObjects({ file: buffer, columns: wanted });
    const column = (name: string): readonly unknown[] | undefined =>
      names.includes(name) ? rows.map((row) => (row as Record<string, unknown>)[name]) : undefined;
    return tableDataset(path, { length: rows.length, names, column }, columns);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'READER_INPUT') throw error;
    throw fault('READER_INPUT', { path, reason: (error as Error).message.split('\n', 1)[0]! }, error);
  }
}
