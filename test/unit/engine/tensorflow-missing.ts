import { tensorflowStatus } from '../../../src/engine/libtensorflow/status.js';

/** Why tests on TensorFlow are skipped, loudly; in CI, where .ci/tensorflow installs it, its absence is a failure. */
export function tensorflowMissing(): string | false {
  const status = tensorflowStatus();
  if (status.available) return false;
  const reason = `SKIPPED: engine tensorflow: ${status.reason}`;
  if (process.env['CI'] === 'true') throw new Error(`CI must have it, from .ci/tensorflow; ${reason}`);
  return reason;
}
