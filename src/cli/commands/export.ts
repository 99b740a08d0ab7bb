import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../../core/atomic-file.js';
import { readTrainedModel, type TrainedModel } from '../../engine/trained-model.js';
import { encodeNpz } from '../../store/npz.js';
import { encodeSafetensors } from '../../store/safetensors.js';
import type { CommandContext } from '../context.js';
import { cliFault } from '../faults.js';

export interface ExportOptions {
  readonly model: string;
  readonly to: string;
  readonly out: string;
}

const formats: Readonly<Record<string, (trained: TrainedModel, out: string) => Promise<void>>> = {
  async tfjs(trained, out) {
    const { TrainedLayers } = await import('../../engine/op-by-op/trained-layers.js');
    const { json, weights } = (await TrainedLayers.load(trained)).files('weights.bin');
    await mkdir(out, { recursive: true });
    await writeFileAtomically(join(out, 'weights.bin'), [weights]);
    await writeFileAtomically(join(out, 'model.json'), [Buffer.from(json)]);
  },
  async npz({ tensors }, out) {
    await writeFileAtomically(out, encodeNpz(tensors));
  },
  /** With the model, so that what is written can be used as what it was made from. */
  async safetensors({ tensors, model, microBatchSize }, out) {
    const metadata = { format: 'lockstep', model: JSON.stringify(model), microBatchSize: String(microBatchSize) };
    await writeFileAtomically(out, encodeSafetensors({ tensors, metadata }));
  },
};

/** `lockstep export`: a trained model for other programs. */
export async function run({ model, to, out }: ExportOptions, { stdout }: CommandContext): Promise<void> {
  const write = formats[to];
  if (!write) throw cliFault('BAD_CHOICE', { flag: '--to', given: to, choices: Object.keys(formats).join(', ') });
  if (existsSync(out)) throw cliFault('OUT_IS_THERE', { out });
  const trained = await readTrainedModel(model);
  await write(trained, out);
  stdout.write(`${trained.model.name} from ${trained.path} is in ${out}\n`);
}
