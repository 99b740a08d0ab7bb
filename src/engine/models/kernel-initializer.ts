/** Of the built-in models; TensorFlow.js's own default draws from a normal distribution. */
export const kernelInitializer = 'glorotUniform';
