/** Models of the layer contract that no backend of TensorFlow.js trains, as its layers and gradients are. */
export const beyondTensorflowJs: Readonly<Record<string, string>> = {
  'dilated convolutions, with a stride, both paddings': 'TensorFlow.js has no gradient of a dilated convolution',
  'dilation in one dimension': 'TensorFlow.js has no gradient of a dilated convolution',
  'normalisation without scale or centre': 'TensorFlow.js trains it only with both gamma and beta',
  'a threshold, at 0, where it does not jump': 'TensorFlow.js has no gradient of a comparison',
  'the activation gelu_new': 'TensorFlow.js does not find it by the name that it writes into the JSON of a model',
};
