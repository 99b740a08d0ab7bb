import type { Curves, Picture } from '../../src/live/picture.js';

/** The newer picture, with the older one's curves where the newer one has only what was added. */
export function merge(before: Picture | undefined, after: Picture): Picture {
  const { curves } = after;
  if (!before || curves.from === 0) return after;
  const joined = <Value>(known: readonly Value[], added: readonly Value[]) => [
    ...known.slice(0, curves.from),
    ...added,
  ];
  const old = before.curves;
  const merged: Curves = {
    stride: curves.stride,
    from: 0,
    step: joined(old.step, curves.step),
    loss: joined(old.loss, curves.loss),
    accuracy: joined(old.accuracy, curves.accuracy),
    imagesPerSecond: joined(old.imagesPerSecond, curves.imagesPerSecond),
    learningRate: joined(old.learningRate, curves.learningRate),
    gradientNorm: joined(old.gradientNorm, curves.gradientNorm),
    worldSize: joined(old.worldSize, curves.worldSize),
  };
  return { ...after, curves: merged };
}
