import type { InputScaling } from '../model-spec.js';

/** Pixels 0..255 to 0..1. */
export const unitScaling: InputScaling = { scale: 1 / 255, mean: 0, deviation: 1 };
