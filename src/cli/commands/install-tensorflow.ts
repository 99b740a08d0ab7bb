import { installTensorflow, thisMachine } from '../../engine/libtensorflow/install.js';
import type { CommandContext } from '../context.js';

export interface InstallTensorflowOptions {
  readonly gpu?: boolean;
  readonly from?: string;
  readonly json?: boolean;
}

/** `lockstep engines install tensorflow`: steps go to stderr as they begin, stdout has the one line of the result. */
export async function run(options: InstallTensorflowOptions, { stdout, stderr }: CommandContext): Promise<void> {
  const { gpu = false, from, json = false } = options;
  const progress = (text: string): void => void (json || stderr.write(`${text}...\n`));
  const installed = await installTensorflow({ isForGpu: gpu, from, progress }, thisMachine());
  if (json) {
    stdout.write(`${JSON.stringify(installed)}\n`);
    return;
  }
  const { folder, version, isOnGpu, withoutGpu, wasThere } = installed;
  const device = isOnGpu ? 'on a GPU' : `on the CPU${withoutGpu === undefined ? '' : ` (${withoutGpu})`}`;
  stdout.write(
    `TensorFlow ${version} computes ${device}; ${wasThere ? 'it was there already' : 'installed'}: ${folder}\n`,
  );
}
