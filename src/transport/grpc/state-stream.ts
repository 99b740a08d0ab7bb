import type { StateChunk__Output } from './generated/lockstep/v1/StateChunk.js';
import type { StateSnapshot } from './exchange-server.js';

/** Puts a state together that comes in pieces. @throws Error when nothing came */
export async function snapshotOf(
  chunks: AsyncIterable<StateChunk__Output>,
  onChunk: () => void,
): Promise<StateSnapshot> {
  let description: string | undefined;
  const vectors = new Map<string, Buffer[]>();
  for await (const chunk of chunks) {
    onChunk();
    description ??= chunk.description;
    if (!chunk.part) continue;
    const parts = vectors.get(chunk.part.vector);
    if (parts) parts.push(chunk.part.data);
    else vectors.set(chunk.part.vector, [chunk.part.data]);
  }
  if (description === undefined) throw new Error('the stream was empty');
  return { description, vectors: [...vectors].map(([name, parts]) => ({ name, values: floatsOf(parts) })) };
}

function floatsOf(parts: readonly Buffer[]): Float32Array {
  const bytes = Buffer.concat(parts);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
