// A plan is a program: instructions of 32-bit words in memory, each an opcode followed by the operands of its struct below.
// `src/engine/plan/instructions.ts` writes them; a test compares the two files.
//
// Shapes: m samples at hand; activations are [m][height][width][channels] without gaps, [m][features] for dense layers.
// Weights as the kernels read them: rows padded with zeros to a multiple of LANES.
#ifndef LOCKSTEP_PROGRAM_H
#define LOCKSTEP_PROGRAM_H
#include <stdint.h>

// What a program is run by, and what runs one instruction. The addon compiles everything once for each width, as one
// translation unit in which nothing is visible from outside: native/variant.h.
#ifndef KERNEL
#define KERNEL
#define ENTRY __attribute__((visibility("default")))
#endif

// Address in bytes, a multiple of 4, plus a region: 0 from the start of the memory, 1 the weights' vector, 2 the sums'
// vector of this run, 3 the block of samples at hand. A plain 0 means "none".
typedef uint32_t address;

// A float32 operand travels as its bits.
static inline float float_of(int32_t bits) {
  union { int32_t bits; float value; } word = {bits};
  return word.value;
}

// Where a run finds things.
typedef struct {
  uintptr_t memory;
  uint32_t weights;
  uint32_t sums;
  int m;
  uint32_t first;   // samples of the micro-batch before this block: sums go on from what is there, unless it is 0
  uint32_t samples; // bytes before the block's samples
} context;

#define AT(type, c, a) ((type *)at(c, a))
static inline void *at(const context *c, address a) {
  uint32_t region = a & 3;
  if (a == 0) return 0;
  return (void *)(c->memory + (a & ~3u) + (region == 1 ? c->weights : region == 2 ? c->sums : region == 3 ? c->samples : 0));
}

// A micro-batch is computed block by block, so that its values stay in the cache. block: samples before it, bytes before
// its samples, position of the micro-batch's first sample in its epoch, and the epoch.
typedef struct { address block; } begin_block;
// Rows of `columns` floats, without gaps, to rows with a stride.
typedef struct { address from, to; int32_t rows, columns, to_stride; } pack_rows;
// to[block][j][i] = from[block][i][j], i < rows, j < columns.
typedef struct { address from, to; int32_t rows, columns, from_stride, to_stride, blocks, from_block, to_block; } transpose;
// Zeros `size * m` floats.
typedef struct { address to; int32_t size; } clear;
// Zeros `size` floats, whatever m is; but in the first block only.
typedef struct { address to; int32_t size; } clear_once;
// Puts a picture into a larger one, `step` apart (1: as it is); what lies around and between stays what it is: zero.
typedef struct { address from, to; int32_t height, width, channels, top, left, step_height, step_width, to_height, to_width; } pad;
// Takes a picture out of a larger one.
typedef struct { address from, to; int32_t height, width, channels, top, left, from_height, from_width; } unpad;
// Rows of `columns` floats from one distance to another; `rows` of them a sample.
typedef struct { address from, to; int32_t rows, columns, from_stride, to_stride; } copy_rows;
// to[i][j][k] = from[i * stride_0 + j * stride_1 + k * stride_2] of each sample; to without gaps.
typedef struct { address from, to; int32_t size_0, size_1, size_2, stride_0, stride_1, stride_2; } permute;
// Each channel `times` times, side by side; and the sums of such groups, ascending.
typedef struct { address from, to; int32_t pixels, channels, times; } repeat_channels;
typedef struct { address from, to; int32_t pixels, channels, times; } sum_channels;
// Valid convolution, bias, activation. With `offsets`, max pooling 2x2 in between, out_height and out_width are the pooled
// ones, dilation is 1, and each pooled output's offset of the winning input patch is kept. weights [kernel_height *
// kernel_width * channels][padded filters]; bias [padded filters] or none.
typedef struct {
  address in, weights, bias, out, offsets;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int32_t out_height, out_width, filters, activation;
} convolution_forward;
// Adds to weight_gradient [filters][kernel_height][padded max(8, kernel_width * channels)] and in_gradient [m][height]
// [width][channels] (or none). weights as weight_gradient; scratch 2 * out_height * out_width words. For gradients most of
// which are zero: those behind max pooling.
typedef struct {
  address in, weights, offsets, gradient, weight_gradient, in_gradient, scratch;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, out_height, out_width, filters;
} convolution_backward;
// weight_gradient [kernel_height][kernel_width][channels][filters], without gaps; added up over blocks.
typedef struct {
  address in, gradient, weight_gradient;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int32_t out_height, out_width, filters;
} convolution_weights;
// Valid convolution of each channel by itself, bias, activation. weights [kernel_height][kernel_width][channels].
typedef struct {
  address in, weights, bias, out;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int32_t out_height, out_width, activation;
} depthwise_forward;
// weight_gradient as weights, overwritten; adds to in_gradient (or none).
typedef struct {
  address in, weights, gradient, weight_gradient, in_gradient;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, dilation_height, dilation_width;
  int32_t out_height, out_width;
} depthwise_backward;
// Pooling of any window; positions outside of the picture do not take part. Max pooling keeps each winner's offset in its
// sample, and adds each gradient to its winner; average pooling adds equal parts of it to all.
typedef struct {
  address in, out, offsets;
  int32_t height, width, channels, window_height, window_width, stride_height, stride_width, top, left, out_height, out_width;
} max_pool_forward;
typedef struct { address gradient, offsets, in_gradient; int32_t in_size, out_size; } max_pool_backward;
typedef struct {
  address in, out;
  int32_t height, width, channels, window_height, window_width, stride_height, stride_width, top, left, out_height, out_width;
} average_pool_forward;
typedef struct {
  address gradient, in_gradient;
  int32_t height, width, channels, window_height, window_width, stride_height, stride_width, top, left, out_height, out_width;
} average_pool_backward;
// out = activation(in weights + bias) for `rows` rows a sample; weights [inputs][padded outputs]; bias [padded outputs] or none.
typedef struct { address in, weights, bias, out; int32_t rows, inputs, outputs, activation; } dense_forward;
// weight_gradient [inputs][outputs], without gaps: over rows, ascending, of in * gradient.
typedef struct { address in, gradient, weight_gradient; int32_t rows, inputs, outputs; } dense_backward;
// out[columns]: sums over `rows * m` rows, ascending.
typedef struct { address in, out; int32_t rows, columns; } column_sums;
// `parameter` is the bits of a float32: slope, threshold or limit, as `kind` has it.
typedef struct { address in, out; int32_t size, kind, parameter; } activation_forward;
// In place on the gradient, from the activation's input or output, as `kind` has it.
typedef struct { address in, out, gradient; int32_t size, kind, parameter; } activation_backward;
// Over each row; with `logarithm` the logarithm of it. Backward in place.
typedef struct { address in, out; int32_t rows, columns, logarithm; } softmax_forward;
typedef struct { address out, gradient; int32_t rows, columns, logarithm; } softmax_backward;
// x > 0 ? x : slopes[column] * x. Backward in place; slope_gradient [columns], overwritten.
typedef struct { address in, slopes, out; int32_t rows, columns; } prelu_forward;
typedef struct { address in, slopes, gradient, slope_gradient; int32_t rows, columns; } prelu_backward;
// (in - mean) / sqrt(variance + epsilon) * gamma + beta, for each channel over `rows * m` rows. Keeps mean and 1 / sqrt in
// `mean` and `inverse`; statistics: m * mean [channels], then m * variance. gamma, beta [channels] or none; epsilon: bits of a
// float32; with `rectified` a ReLU behind it; scratch 8 * channels words.
typedef struct {
  address in, gamma, beta, mean, inverse, out, statistics, scratch;
  int32_t rows, channels, epsilon, rectified;
} batch_normalisation_forward;
// The same with the running averages.
typedef struct {
  address in, gamma, beta, mean, variance, out, scratch;
  int32_t rows, channels, epsilon, rectified;
} batch_normalisation_evaluation;
typedef struct {
  address in, gamma, beta, mean, inverse, gradient, in_gradient, gamma_gradient, beta_gradient, scratch;
  int32_t rows, channels, rectified;
} batch_normalisation_backward;
// The same for each row over its columns. Keeps mean and 1 / sqrt of each row.
typedef struct { address in, gamma, beta, mean, inverse, out; int32_t rows, columns, epsilon; } layer_normalisation_forward;
typedef struct {
  address in, gamma, mean, inverse, gradient, in_gradient, gamma_gradient, beta_gradient;
  int32_t rows, columns;
} layer_normalisation_backward;
// Row in[n] of the table; NaNs for an index that the table does not have. table_gradient [vocabulary][width], overwritten.
typedef struct { address in, table, out; int32_t rows, vocabulary, width; } embedding_forward;
typedef struct { address in, gradient, table_gradient; int32_t rows, vocabulary, width; } embedding_backward;
// in times 0 where the random word of its element is below `threshold`, else times `scale` (bits of a float32). The words
// are Philox 4x32-10 with the counter (element / 4, position of the sample, epoch, 0). Forward and backward alike; in and out
// may be the same.
typedef struct { address in, out, block; int32_t size, key_0, key_1, threshold, scale; } dropout;
// out = a + b, or a * b; out may be one of them.
typedef struct { address a, b, out; int32_t size, multiply; } combine;
// to = from * factor: bits of a float32.
typedef struct { address from, to; int32_t size, factor; } scale_to;
// Losses. extras: sum over samples of the loss, and count of correct answers. gradient [m][classes] or none. labels
// int32 and targets float32[outputs] of every sample of the micro-batch; total: float64, the loss of the blocks so far.
typedef struct { address logits, labels, gradient, extras, total; int32_t classes; } softmax_cross_entropy;
typedef struct { address logits, targets, gradient, extras, total; int32_t outputs; } sigmoid_cross_entropy;
typedef struct { address predictions, targets, gradient, extras, total; int32_t outputs; } mean_squared_error;

// Opcodes, in this order, from 0.
#define INSTRUCTIONS(X)                                                                                                  \
  X(begin_block) X(pack_rows) X(transpose) X(clear) X(clear_once) X(pad) X(unpad) X(copy_rows) X(permute)                \
  X(repeat_channels) X(sum_channels) X(convolution_forward) X(convolution_backward) X(convolution_weights)               \
  X(depthwise_forward) X(depthwise_backward) X(max_pool_forward) X(max_pool_backward) X(average_pool_forward)            \
  X(average_pool_backward) X(dense_forward) X(dense_backward) X(column_sums) X(activation_forward)                       \
  X(activation_backward) X(softmax_forward) X(softmax_backward) X(prelu_forward) X(prelu_backward)                       \
  X(batch_normalisation_forward) X(batch_normalisation_evaluation) X(batch_normalisation_backward)                       \
  X(layer_normalisation_forward) X(layer_normalisation_backward) X(embedding_forward) X(embedding_backward) X(dropout)   \
  X(combine) X(scale_to) X(softmax_cross_entropy) X(sigmoid_cross_entropy) X(mean_squared_error)

#define DECLARE(name) KERNEL void run_##name(const context *c, const name *i);
INSTRUCTIONS(DECLARE)
#undef DECLARE

// Runs the `words` words of the program at `program` on m samples.
ENTRY void run_program(uintptr_t memory, uint32_t program, int words, int m, uint32_t weights, uint32_t sums);
// target[i] += source[i]. In and out of the same rounding: one float32 addition an element.
ENTRY void add(uintptr_t memory, uint32_t target, uint32_t source, int size);
// Rules' loops over flat vectors, in the order of `updateLoops` in src/optim/optimizer.ts; behind them the sum of squares of
// the weights. Numbers as the rules name them; a sum of squares takes its scale from the first and leaves itself there.
#define UPDATE_LOOPS(X) X(sgd) X(momentum) X(adam) X(rmsprop) X(adagrad) X(adadelta) X(rprop) X(lars) X(lamb)
#define LOOP_SLOTS 3
typedef struct {
  int32_t loop, begin, end;
  address gradient, weights, slots[LOOP_SLOTS], weights_next, slots_next[LOOP_SLOTS];
  int32_t unused[4];
  double numbers[16];
} loop_call;
ENTRY void run_loop(uintptr_t memory, uint32_t call);
// What a codec is asked to do; addresses in bytes. engine/codec-kernels.ts writes it.
typedef struct {
  uint32_t what;     // as in codecs.c
  uint32_t values;   // float32[size], on a multiple of 4
  uint32_t bytes;    // encoded, on a multiple of 4
  uint32_t residual; // float32[size], or 0 for none
  uint32_t size;
  uint32_t is_random, key_0, key_1, counter_1, counter_2, counter_3, element; // of stochastic rounding
} codec_request;
ENTRY void code(uintptr_t memory, uint32_t request);
// Floats in a vector: what rows of packed weights are padded to.
ENTRY int lane_count(void);
#endif
