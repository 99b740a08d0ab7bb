// Convolution, backward, by patches: every output gradient g that is not zero adds g times its input patch to its filter's
// gradient, and g times the filter to the patch of the input's gradient.
//
// Behind max pooling only one input of a window has a gradient, and half of those die at a ReLU, so most of the work of a
// dense backward pass is never done. Skipping a zero changes no bit: a sum that began at +0 is never -0, so adding a zero of
// either sign leaves it as it is. For the same reason vectors may run past the end of a patch's row when they add zeros there.
#include "lanes.h"
#include "program.h"

#define SHORT_ROW 8
#define LONG_ROW 32

// What one filter has to do in one sample: patches and their gradients.
typedef struct {
  const int32_t *patch; // offset of the patch's first element in the sample
  const float *gradient;
  int count;
} work;

// Floats between the rows of a filter as this file wants them: short ones all have room for SHORT_ROW.
INLINE int patch_row(int length) { return padded(length < SHORT_ROW ? SHORT_ROW : length); }

// `rows` rows of the kernel, `vectors` vectors of each. `w` and `w_gradient` have rows of `w_stride`, pictures rows of `stride`.
INLINE void rows_backward(work todo, int rows, int vectors, const float *in, int stride, const float *w, float *w_gradient, int w_stride,
                          float *in_gradient) {
  lanes part[rows * vectors];
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) part[r * vectors + v] = load(w_gradient + r * w_stride + v * LANES);
  }
  for (int n = 0; n < todo.count; n++) {
    const float *patch = in + todo.patch[n];
    lanes g = splat(todo.gradient[n]);
    UNROLL for (int r = 0; r < rows; r++) {
      UNROLL for (int v = 0; v < vectors; v++) part[r * vectors + v] += g * load(patch + r * stride + v * LANES);
    }
  }
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) store(w_gradient + r * w_stride + v * LANES, part[r * vectors + v]);
  }
  if (!in_gradient) return;
  UNROLL for (int r = 0; r < rows; r++) {
    UNROLL for (int v = 0; v < vectors; v++) part[r * vectors + v] = load(w + r * w_stride + v * LANES);
  }
  for (int n = 0; n < todo.count; n++) {
    float *patch = in_gradient + todo.patch[n];
    lanes g = splat(todo.gradient[n]);
    UNROLL for (int r = 0; r < rows; r++) {
      UNROLL for (int v = 0; v < vectors; v++) {
        float *to = patch + r * stride + v * LANES;
        store(to, load(to) + g * part[r * vectors + v]);
      }
    }
  }
}

#define ONE_ROW(n) case n: rows_backward(todo, 1, n, in, stride, w, w_gradient, w_stride, in_gradient); break;

// `length` floats of one row of the filter, at most LONG_ROW.
static void row_backward(work todo, int length, const float *in, int stride, const float *w, float *w_gradient, int w_stride,
                         float *in_gradient) {
  switch (padded(length) / LANES) {
    ONE_ROW(1)
    ONE_ROW(2)
#if LANES < 16
    ONE_ROW(3)
    ONE_ROW(4)
#endif
#if LANES < 8
    ONE_ROW(5)
    ONE_ROW(6)
    ONE_ROW(7)
    ONE_ROW(8)
#endif
    default: __builtin_trap();
  }
}

#define SHORT_ROWS(n)                                                                                                    \
  for (; k + n <= i->kernel_height; k += n) {                                                                            \
    rows_backward(todo, n, (SHORT_ROW + LANES - 1) / LANES, in + k * stride, stride, w + k * w_stride, w_gradient + k * w_stride, w_stride, \
                  in_gradient ? in_gradient + k * stride : 0);                                                           \
  }

// Cuts a filter into pieces that fit the registers. An element of the input's gradient gets its parts piece by piece, so the
// pieces are made of floats, not of vectors: the same ones at every width.
static void filter_backward(work todo, const convolution_backward *i, const float *in, const float *w, float *w_gradient, float *in_gradient) {
  int length = i->kernel_width * i->channels, stride = i->width * i->channels, w_stride = patch_row(length), k = 0;
  if (length <= SHORT_ROW) {
    SHORT_ROWS(5)
    SHORT_ROWS(3)
    SHORT_ROWS(1)
    return;
  }
  for (; k < i->kernel_height; k++) {
    for (int r = 0; r < length; r += LONG_ROW) {
      int at = k * w_stride + r, from = k * stride + r, piece = length - r < LONG_ROW ? length - r : LONG_ROW;
      row_backward(todo, piece, in + from, stride, w + at, w_gradient + at, w_stride, in_gradient ? in_gradient + from : 0);
    }
  }
}

// Lists what filter j has to do in sample b.
static work work_of(const convolution_backward *i, const float *gradient, const int32_t *offsets, int j, int32_t *patch, float *value) {
  int count = 0;
  for (int y = 0, cell = j; y < i->out_height; y++) {
    for (int x = 0; x < i->out_width; x++, cell += i->filters) {
      float g = gradient[cell];
      patch[count] = offsets ? offsets[cell] : (y * i->stride_height * i->width + x * i->stride_width) * i->channels;
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
  int cells = i->out_height * i->out_width, in_size = i->height * i->width * i->channels;
  int filter_size = i->kernel_height * patch_row(i->kernel_width * i->channels);
  int32_t *patch = AT(int32_t, c, i->scratch);
  float *value = AT(float, c, i->scratch) + cells;
  for (int b = 0; b < c->m; b++) {
    int out = b * cells * i->filters;
    for (int j = 0; j < i->filters; j++) {
      work todo = work_of(i, gradient + out, offsets ? offsets + out : 0, j, patch, value);
      filter_backward(todo, i, in + b * in_size, w + j * filter_size, w_gradient + j * filter_size,
                      in_gradient ? in_gradient + b * in_size : 0);
    }
  }
}
