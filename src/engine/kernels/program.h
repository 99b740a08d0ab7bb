// A plan is a program: instructions of 32-bit words in memory, each an opcode followed by the operands of its struct below.
// `src/engine/instructions.ts` writes them; a test compares the two files.
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
// vector of this run. A plain 0 means "none".
typedef uint32_t address;

// Where a run finds things.
typedef struct {
  uintptr_t memory;
  uint32_t weights;
  uint32_t sums;
  int m;
} context;

#define AT(type, c, a) ((type *)at(c, a))
static inline void *at(const context *c, address a) {
  uint32_t region = a & 3;
  if (a == 0) return 0;
  return (void *)(c->memory + (a & ~3u) + (region == 1 ? c->weights : region == 2 ? c->sums : 0));
}

// Rows of `columns` floats, without gaps, to rows with a stride.
typedef struct { address from, to; int32_t rows, columns, to_stride; } pack_rows;
// to[block][j][i] = from[block][i][j], i < rows, j < columns.
typedef struct { address from, to; int32_t rows, columns, from_stride, to_stride, blocks, from_block, to_block; } transpose;
// Zeros `size * m` floats.
typedef struct { address to; int32_t size; } clear;
// Zeros `size` floats, whatever m is.
typedef struct { address to; int32_t size; } clear_once;
// Puts a picture into a larger one (its borders stay what they are: zero), and takes it out again.
typedef struct { address from, to; int32_t height, width, channels, top, left, to_height, to_width; } pad;
typedef struct { address from, to; int32_t height, width, channels, top, left, from_height, from_width; } unpad;
// Valid convolution, bias, activation. With `offsets`, max pooling 2x2 in between, out_height and out_width are the pooled
// ones, and each pooled output's offset of the winning input patch is kept. weights [kernel_height * kernel_width *
// channels][padded filters]; bias [padded filters] or none.
typedef struct {
  address in, weights, bias, out, offsets;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, out_height, out_width, filters, activation;
} convolution_forward;
// Adds to weight_gradient [filters][kernel_height][padded max(8, kernel_width * channels)] and in_gradient [m][height]
// [width][channels] (or none). weights as weight_gradient; scratch 2 * out_height * out_width words.
typedef struct {
  address in, weights, offsets, gradient, weight_gradient, in_gradient, scratch;
  int32_t height, width, channels, kernel_height, kernel_width, stride_height, stride_width, out_height, out_width, filters;
} convolution_backward;
// Max pooling of any window; positions outside of the picture do not take part. Keeps each winner's offset in its sample.
typedef struct {
  address in, out, offsets;
  int32_t height, width, channels, window_height, window_width, stride_height, stride_width, top, left, out_height, out_width;
} max_pool_forward;
// Adds each gradient to its winner.
typedef struct { address gradient, offsets, in_gradient; int32_t in_size, out_size; } max_pool_backward;
// out = activation(in weights + bias); weights [inputs][padded outputs]; bias [padded outputs] or none.
typedef struct { address in, weights, bias, out; int32_t inputs, outputs, activation; } dense_forward;
// weight_gradient [inputs][outputs], without gaps: over samples, ascending, of in * gradient.
typedef struct { address in, gradient, weight_gradient; int32_t inputs, outputs; } dense_backward;
// out[columns]: sums over `rows * m` rows, ascending.
typedef struct { address in, out; int32_t rows, columns; } column_sums;
typedef struct { address in, out; int32_t size, kind; } activation_forward;
// In place on the gradient.
typedef struct { address out, gradient; int32_t size, kind; } activation_backward;
// extras: loss sum and count of correct answers. gradient [m][classes] or none; labels int32[m].
typedef struct { address logits, labels, gradient, extras; int32_t classes; } softmax_cross_entropy;

// Opcodes, in this order, from 0.
#define INSTRUCTIONS(X)                                                                                                  \
  X(pack_rows) X(transpose) X(clear) X(clear_once) X(pad) X(unpad) X(convolution_forward) X(convolution_backward)        \
  X(max_pool_forward) X(max_pool_backward) X(dense_forward) X(dense_backward) X(column_sums) X(activation_forward)       \
  X(activation_backward) X(softmax_cross_entropy)

#define DECLARE(name) KERNEL void run_##name(const context *c, const name *i);
INSTRUCTIONS(DECLARE)
#undef DECLARE

// Runs the `words` words of the program at `program` on m samples.
ENTRY void run_program(uintptr_t memory, uint32_t program, int words, int m, uint32_t weights, uint32_t sums);
// target[i] += source[i]. In and out of the same rounding: one float32 addition an element.
ENTRY void add(uintptr_t memory, uint32_t target, uint32_t source, int size);
// Floats in a vector: what rows of packed weights are padded to.
ENTRY int lane_count(void);
#endif
