// Convolution, backward, by patches: every output gradient g that is not zero adds g times its input patch to its filter's
// gradient, and g times the filter to the patch of the input's gradient.
//
// Behind max pooling only one input of a window has a gradient, and half of those die at a ReLU, so most of the work of a
// dense backward pass is never done. Skipping a zero changes no bit: a sum that began at +0 is never -0, so adding a zero of
// either sign leaves it as it is. For the same reason vectors may run past the end of a patch's row when they add zeros there.
#include <stdbool.h>
#include "lanes.h"
#include "program.h"

#define SHORT_ROW 8
#define LONG_ROW 32

// Registers for a piece of a filter's gradient.
#if defined(__AVX512VL__) || defined(__aarch64__)
#define PIECE_VECTORS 20
#else
#define PIECE_VECTORS 12
#endif

// What one filter has to do in one sample: patches and their gradients.
typedef struct {
  const int32_t *patch; // offset of the patch's first element in the sample
  const float *gradient;
  int count;
} work;

// Floats between the rows of a filter as this file wants them: short ones all have room for SHORT_ROW.
INLINE int patch_row(int length) { return padded(length < SHORT_ROW ? SHORT_ROW : length); }

// Weight gradient of `rows` rows of the kernel, `vectors` vectors of each, from every `step`-th element of the two lists. `to`
// has rows of `to_stride`, pictures rows of `stride`.
INLINE void rows_to_weights(int rows, int vectors, int step, work todo, const float *in, int stride, float *to, int to_stride) {
  lanes part[PIECE_VECTORS];
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) part[r * vectors + v] = load(to + r * to_stride + v * LANES);
  }
  for (int n = 0; n < todo.count; n++, todo.patch += step, todo.gradient += step) {
    const float *patch = in + *todo.patch;
    lanes g = splat(*todo.gradient);
    UNROLL for (int r = 0; r < rows; r++) {
      UNROLL for (int v = 0; v < vectors; v++) part[r * vectors + v] += g * load(patch + r * stride + v * LANES);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) store(to + r * to_stride + v * LANES, part[r * vectors + v]);
  }
}

// As many of the `rows` rows at a time as fit the registers: which ones are together changes no sum.
#define ROWS_AT_A_TIME(n)                                                                                                \
  if (n * vectors <= PIECE_VECTORS) {                                                                                    \
    for (; k + n <= rows; k += n) rows_to_weights(n, vectors, step, todo, in + k * stride, stride, to + k * to_stride, to_stride); \
  }

INLINE void piece_to_weights(int vectors, int rows, int step, work todo, const float *in, int stride, float *to, int to_stride) {
  int k = 0;
  ROWS_AT_A_TIME(5)
  ROWS_AT_A_TIME(3)
  ROWS_AT_A_TIME(2)
  ROWS_AT_A_TIME(1)
}

// Input gradient from one row of the kernel.
INLINE void row_to_input(int vectors, work todo, const float *w, float *in_gradient) {
  lanes weight[LONG_ROW / 4];
  UNROLL for (int v = 0; v < vectors; v++) weight[v] = load(w + v * LANES);
  for (int n = 0; n < todo.count; n++) {
    float *patch = in_gradient + todo.patch[n];
    lanes g = splat(todo.gradient[n]);
    UNROLL for (int v = 0; v < vectors; v++) store(patch + v * LANES, load(patch + v * LANES) + g * weight[v]);
  }
}

#define PIECE(n)                                                                                                         \
  APART void weights_##n(int rows, work todo, const float *in, int stride, float *to, int to_stride) {                   \
    piece_to_weights(n, rows, 1, todo, in, stride, to, to_stride);                                                       \
  }                                                                                                                      \
  APART void input_##n(work todo, const float *w, float *in_gradient) { row_to_input(n, todo, w, in_gradient); }

#if LANES == 4
#define FOR_EACH_PIECE(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8)
#elif LANES == 8
#define FOR_EACH_PIECE(X) X(1) X(2) X(3) X(4)
#else
#define FOR_EACH_PIECE(X) X(1) X(2)
#endif
FOR_EACH_PIECE(PIECE)

#define WEIGHTS_CASE(n) case n: weights_##n(rows, todo, in, stride, to, to_stride); break;
#define INPUT_CASE(n) case n: input_##n(todo, w, in_gradient); break;

// `length` floats of every row of a filter, at most LONG_ROW.
static void weights_backward(int length, int rows, work todo, const float *in, int stride, float *to, int to_stride) {
  switch (padded(length) / LANES) {
    FOR_EACH_PIECE(WEIGHTS_CASE)
    default: __builtin_trap();
  }
}

static void input_backward(int length, work todo, const float *w, float *in_gradient) {
  switch (padded(length) / LANES) {
    FOR_EACH_PIECE(INPUT_CASE)
    default: __builtin_trap();
  }
}

// Short rows of one filter, from lists that hold the other filters too.
APART void short_to_weights(work todo, const convolution_backward *i, const float *in, float *to) {
  piece_to_weights((SHORT_ROW + LANES - 1) / LANES, i->kernel_height, i->filters, todo, in, i->width * i->channels, to, padded(SHORT_ROW));
}

// One filter. Pieces are made of floats, not of vectors, and so are the same ones at every width: an element of the input's
// gradient gets its parts by row of the kernel, then by piece, then by patch.
static void filter_to_weights(work todo, const convolution_backward *i, const float *in, float *to) {
  int length = i->kernel_width * i->channels, stride = i->width * i->channels, to_stride = patch_row(length);
  if (length < SHORT_ROW) length = SHORT_ROW;
  for (int r = 0; r < length; r += LONG_ROW) {
    weights_backward(length - r < LONG_ROW ? length - r : LONG_ROW, i->kernel_height, todo, in + r, stride, to + r, to_stride);
  }
}

static void filter_to_input(work todo, const convolution_backward *i, const float *w, float *in_gradient) {
  int length = i->kernel_width * i->channels, stride = i->width * i->channels, w_stride = patch_row(length);
  if (length < SHORT_ROW) length = SHORT_ROW;
  for (int k = 0; k < i->kernel_height; k++) {
    for (int r = 0; r < length; r += LONG_ROW) {
      input_backward(length - r < LONG_ROW ? length - r : LONG_ROW, todo, w + k * w_stride + r, in_gradient + k * stride + r);
    }
  }
}

// Lists what filter j has to do in a sample: `rows` times `columns` cells, with these distances in the output and, without
// pooling, in the picture.
INLINE work list(const float *gradient, const int32_t *offsets, int rows, int row_cells, int row_step, int columns, int column_cells,
                 int column_step, int32_t *patch, float *value) {
  int count = 0;
  for (int y = 0; y < rows; y++) {
    for (int x = 0; x < columns; x++) {
      int cell = y * row_cells + x * column_cells;
      float g = gradient[cell];
      patch[count] = offsets ? offsets[cell] : y * row_step + x * column_step;
      value[count] = g;
      count += !(g == 0.0f); // a NaN counts
    }
  }
  return (work){patch, value, count};
}

void run_convolution_backward(const context *c, const convolution_backward *i) {
  const float *in = AT(const float, c, i->in), *w = AT(const float, c, i->weights), *gradient = AT(const float, c, i->gradient);
  const int32_t *offsets = AT(const int32_t, c, i->offsets);
  float *w_gradient = AT(float, c, i->weight_gradient), *in_gradient = AT(float, c, i->in_gradient);
  int rows = i->out_height, columns = i->out_width, filters = i->filters, in_size = i->height * i->width * i->channels;
  int down = i->stride_height * i->width * i->channels, right = i->stride_width * i->channels;
  int filter_size = i->kernel_height * patch_row(i->kernel_width * i->channels);
  // Where a patch is short and only the weights want a gradient, adding zeros takes less time than making a list without them.
  bool as_it_is = offsets && !in_gradient && i->kernel_width * i->channels <= SHORT_ROW;
  int32_t *patch = AT(int32_t, c, i->scratch);
  float *value = AT(float, c, i->scratch) + rows * columns;
  for (int b = 0; b < c->m; b++) {
    int out = b * rows * columns * filters;
    for (int j = 0; j < filters; j++, out++) {
      const float *from = gradient + out;
      const int32_t *winners = offsets ? offsets + out : 0;
      if (as_it_is) {
        short_to_weights((work){winners, from, rows * columns}, i, in + b * in_size, w_gradient + j * filter_size);
        continue;
      }
      work todo = list(from, winners, rows, columns * filters, down, columns, filters, right, patch, value);
      filter_to_weights(todo, i, in + b * in_size, w_gradient + j * filter_size);
      if (!in_gradient) continue;
      // Column by column: neighbours in a list then write to other rows, and no load waits for the store before it. Within a
      // row of the picture the order is the same.
      todo = list(from, winners, columns, filters, right, rows, columns * filters, down, patch, value);
      filter_to_input(todo, i, w + j * filter_size, in_gradient + b * in_size);
    }
  }
}
