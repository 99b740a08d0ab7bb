/**
 * LeNet-5 as a user writes it: the module of a run whose model is the built-in `lenet5`, layer for layer. Names are those of the
 * built-in layers, since the draws of initial weights are keyed by them.
 *
 * @param data - what `--dataset` takes, a folder relative to the module
 */
export const ownLenet5 = (data: string): string => `const kernelInitializer = 'glorotUniform';

const model = ({ tf: { layers, sequential } }) => {
  const kernels = { kernelInitializer, activation: 'relu' };
  return sequential({
    layers: [
      layers.conv2d({ name: 'conv1', inputShape: [28, 28, 1], filters: 6, kernelSize: 5, ...kernels }),
      layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      layers.conv2d({ name: 'conv2', filters: 16, kernelSize: 5, ...kernels }),
      layers.maxPooling2d({ name: 'pool2', poolSize: 2 }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'dense1', units: 120, ...kernels }),
      layers.dense({ name: 'dense2', units: 84, ...kernels }),
      layers.dense({ name: 'dense3', kernelInitializer, units: 10 }),
    ],
  });
};

export default { model, data: ${JSON.stringify(data)} };
`;
