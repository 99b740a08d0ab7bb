import type { Compilation, Values } from './compilation.js';
import { bitsOf } from './program.js';
import type { StageOf } from './stages.js';

/** gamma and beta, where the layer has them. */
function scaleAndShift(
  c: Compilation,
  { scales, centers, weights }: StageOf<'batchNormalisation' | 'layerNormalisation'>,
) {
  const gamma = c.vector(scales ? weights[0] : undefined);
  const beta = c.vector(centers ? weights[Number(scales)] : undefined);
  return { gamma, beta };
}

/** Statistics are those of the micro-batch; the running averages, which follow once a step, serve evaluations. */
export function compileBatchNormalisation(c: Compilation, stage: StageOf<'batchNormalisation'>, input: Values): Values {
  const output = c.values(input.size);
  const { rows } = stage;
  const channels = input.size / rows;
  const epsilon = bitsOf(stage.epsilon);
  const { gamma, beta } = scaleAndShift(c, stage);
  const [mean, inverse] = [c.buffer(channels), c.buffer(channels)];
  const scratch = c.buffer(8 * channels);
  const rectified = Number(stage.activation === 'relu');
  const [movingMean, movingVariance] = stage.weights.slice(-2) as [
    (typeof stage.weights)[0],
    (typeof stage.weights)[0],
  ];
  c.training.emit('batch_normalisation_forward', {
    ...{ in: input.out, gamma: gamma.weights, beta: beta.weights, mean, inverse, out: output.out },
    ...{ statistics: c.statistic(movingMean), scratch, rows, channels, epsilon, rectified },
  });
  c.evaluation.emit('batch_normalisation_evaluation', {
    ...{ in: input.out, gamma: gamma.weights, beta: beta.weights },
    ...{ mean: c.parameter(movingMean).weights, variance: c.parameter(movingVariance).weights },
    ...{ out: output.out, scratch, rows, channels, epsilon, rectified },
  });
  c.backwardStage().emit('batch_normalisation_backward', {
    ...{ in: input.out, gamma: gamma.weights, beta: beta.weights, mean, inverse, gradient: output.gradient },
    ...{ in_gradient: input.gradient, gamma_gradient: gamma.sums, beta_gradient: beta.sums },
    ...{ scratch, rows, channels, rectified },
  });
  return output;
}

export function compileLayerNormalisation(c: Compilation, stage: StageOf<'layerNormalisation'>, input: Values): Values {
  const output = c.values(input.size);
  const { rows } = stage;
  const columns = input.size / rows;
  const { gamma, beta } = scaleAndShift(c, stage);
  const [mean, inverse] = [c.sampleBuffer(rows), c.sampleBuffer(rows)];
  c.forward('layer_normalisation_forward', {
    ...{ in: input.out, gamma: gamma.weights, beta: beta.weights, mean, inverse, out: output.out },
    ...{ rows, columns, epsilon: bitsOf(stage.epsilon) },
  });
  c.backwardStage().emit('layer_normalisation_backward', {
    ...{ in: input.out, gamma: gamma.weights, mean, inverse, gradient: output.gradient, in_gradient: input.gradient },
    ...{ gamma_gradient: gamma.sums, beta_gradient: beta.sums, rows, columns },
  });
  return output;
}
