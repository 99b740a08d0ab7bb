/**
 * The instructions of a plan's program: kernels with their operands, in the order of `kernels/program.h`.
 *
 * A program is an array of 32-bit words that `run_program` in the kernels' module goes through: no call from JavaScript, no
 * allocation and no object in a step but one.
 */
export const instructions = {
  pack_rows: ['from', 'to', 'rows', 'columns', 'to_stride'],
  transpose: ['from', 'to', 'rows', 'columns', 'from_stride', 'to_stride', 'blocks', 'from_block', 'to_block'],
  clear: ['to', 'size'],
  clear_once: ['to', 'size'],
  pad: ['from', 'to', 'height', 'width', 'channels', 'top', 'left', 'to_height', 'to_width'],
  unpad: ['from', 'to', 'height', 'width', 'channels', 'top', 'left', 'from_height', 'from_width'],
  convolution_forward: [
    ...['in', 'weights', 'bias', 'out', 'offsets'],
    ...['height', 'width', 'channels', 'kernel_height', 'kernel_width', 'stride_height', 'stride_width'],
    ...['out_height', 'out_width', 'filters', 'activation'],
  ],
  convolution_backward: [
    ...['in', 'weights', 'offsets', 'gradient', 'weight_gradient', 'in_gradient', 'scratch'],
    ...['height', 'width', 'channels', 'kernel_height', 'kernel_width', 'stride_height', 'stride_width'],
    ...['out_height', 'out_width', 'filters'],
  ],
  max_pool_forward: [
    ...[
      'in',
      'out',
      'offsets',
      'height',
      'width',
      'channels',
      'window_height',
      'window_width',
      'stride_height',
      'stride_width',
    ],
    ...['top', 'left', 'out_height', 'out_width'],
  ],
  max_pool_backward: ['gradient', 'offsets', 'in_gradient', 'in_size', 'out_size'],
  dense_forward: ['in', 'weights', 'bias', 'out', 'inputs', 'outputs', 'activation'],
  dense_backward: ['in', 'gradient', 'weight_gradient', 'inputs', 'outputs'],
  column_sums: ['in', 'out', 'rows', 'columns'],
  activation_forward: ['in', 'out', 'size', 'kind'],
  activation_backward: ['out', 'gradient', 'size', 'kind'],
  softmax_cross_entropy: ['logits', 'labels', 'gradient', 'extras', 'classes'],
} as const;
