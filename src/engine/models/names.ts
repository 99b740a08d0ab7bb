/** Apart from the models themselves, so that a list of names does not load TensorFlow.js. */
export const modelNames = ['lenet5', 'lenet', 'fast', 'mlp'] as const;

export type ModelName = (typeof modelNames)[number];
