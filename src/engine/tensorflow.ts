/** TensorFlow.js as we use it: the plain JavaScript backend, and no banner on the user's terminal. Import this before the rest. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

tf.enableProdMode(); // the banner is a warning, and warnings are for development mode

export { tf };
