import { findInstallations, type Found, type Installation } from './installations.js';
import { probe, type Probe } from './probe.js';

export type TensorflowStatus =
  | {
      readonly available: true;
      readonly installation: Installation;
      /** TensorFlow and its device, and why better ones that are there were refused. */
      readonly version: string;
    }
  /** `reason` names everything that was looked for; `remedy` is a command. */
  | { readonly available: false; readonly reason: string; readonly remedy: string };

const remedy = 'run `lockstep engines install tensorflow`, or with --gpu for CUDA';

let known: TensorflowStatus | undefined;

/** Which TensorFlow this machine can use; decided once a thread, in about half a second for each that is there. */
export function tensorflowStatus(): TensorflowStatus {
  return (known ??= judgeTensorflow(findInstallations(), probe));
}

/** The first that computes on a GPU; else the first that computes. */
export function judgeTensorflow(found: readonly Found[], tryOut: Probe): TensorflowStatus {
  const [refusals, broken]: [string[], string[]] = [[], []];
  let onProcessor: TensorflowStatus | undefined;
  for (const candidate of found) {
    if ('reason' in candidate) {
      refusals.push(`${candidate.origin} ${candidate.reason}`);
      if (!candidate.isMissing) broken.push(refusals.at(-1)!);
      continue;
    }
    const answer = tryOut(candidate);
    if ('reason' in answer) {
      refusals.push(`${candidate.origin}: ${answer.reason}`);
      broken.push(refusals.at(-1)!);
      continue;
    }
    const device = answer.isOnGpu ? 'GPU' : answer.withoutGpu === undefined ? 'CPU' : `CPU, ${answer.withoutGpu}`;
    const version = [`TensorFlow ${answer.version} on ${device}`, ...broken].join('; not ');
    const status = { available: true, installation: candidate, version } as const;
    if (answer.isOnGpu) return status;
    onProcessor ??= status;
  }
  return onProcessor ?? { available: false, reason: refusals.join('; '), remedy };
}
