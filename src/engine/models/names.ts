/** Apart from the models themselves, so that a list of names does not load TensorFlow.js. */
export const modelNames = ['lenet5', 'lenet', 'fast', 'mlp'] as const;

/** What a run trains that names no model. */
export const defaultModel: ModelName = 'lenet5';

export type ModelName = (typeof modelNames)[number];
