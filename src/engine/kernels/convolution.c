// Convolution, forward: tiles of some output pixels times one or two vectors of filters.
#include "activation.h"
#include "program.h"
#include "tile.h"

INLINE lanes with_bias(lanes sum, const float *bias, int j) { return bias ? sum + load(bias + j) : sum; }

// The sums of a tile. One row of a kernel of 3 or 5 columns over one channel is written out, but not for V8.
#define SUMS(rows, vectors)                                                                                              \
  APART void sums_##rows##_##vectors(const convolution_forward *i, lanes *sum, const float *const *patch, const float *w) { \
    int stride = i->width * i->channels, length = i->kernel_width * i->channels, w_stride = padded(i->filters);          \
    if (BRANCH_BETWEEN_STEPS) tile(TILE_STEPS, sum, rows, vectors, patch, i->kernel_height, stride, length, 1, w, w_stride);           \
    else if (length == 5) tile(5, sum, rows, vectors, patch, i->kernel_height, stride, 5, 1, w, w_stride);                    \
    else if (length == 3) tile(3, sum, rows, vectors, patch, i->kernel_height, stride, 3, 1, w, w_stride);               \
    else tile(TILE_STEPS, sum, rows, vectors, patch, i->kernel_height, stride, length, 1, w, w_stride);                \
  }

// The same, element by element of a kernel whose elements lie apart.
#define DILATED(rows, vectors)                                                                                           \
  APART void dilated_##rows##_##vectors(const convolution_forward *i, lanes *sum, const float *const *patch, const float *w) { \
    int down = i->dilation_height * i->width * i->channels, right = i->dilation_width * i->channels, w_stride = padded(i->filters); \
    for (int n = 0; n < rows * vectors; n++) sum[n] = splat(0.0f);                                                       \
    for (int y = 0; y < i->kernel_height; y++) {                                                                         \
      for (int x = 0; x < i->kernel_width; x++, w += i->channels * w_stride) {                                           \
        const float *at[rows];                                                                                           \
        UNROLL for (int n = 0; n < rows; n++) at[n] = patch[n] + y * down + x * right;                                   \
        tile_sums(TILE_STEPS, 1, sum, rows, vectors, at, 1, 0, i->channels, 1, w, w_stride);                             \
      }                                                                                                                  \
    }                                                                                                                    \
  }

#define EACH(rows, vectors) SUMS(rows, vectors) DILATED(rows, vectors)
EACH(1, 1)
EACH(1, 2)
EACH(4, 1)
EACH(4, 2)
EACH(8, 1)
#if TILE_SUMS == 16
EACH(8, 2)
EACH(16, 1)
#endif

// `rows` and `vectors` are constants for the compiler.
INLINE void convolve(const convolution_forward *i, lanes *sum, int rows, int vectors, const float *const *patch, const float *w) {
  int dilated = i->dilation_height != 1 || i->dilation_width != 1;
#define CHOICE(r, v) \
  if (rows == r && vectors == v) return dilated ? dilated_##r##_##v(i, sum, patch, w) : sums_##r##_##v(i, sum, patch, w);
#if TILE_SUMS == 16
  CHOICE(16, 1)
  CHOICE(8, 2)
#endif
  CHOICE(8, 1)
  CHOICE(4, 2)
  CHOICE(4, 1)
  CHOICE(1, 2)
  CHOICE(1, 1)
#undef CHOICE
}

// `vectors` vectors of filters from j on, for the pixels x..x+rows-1 of one output row.
INLINE void pixels(const convolution_forward *i, int rows, int vectors, const float *in, const float *w, const float *bias, float *out, int j) {
  const float *patch[TILE_SUMS];
  lanes sum[TILE_SUMS];
  UNROLL for (int p = 0; p < rows; p++) patch[p] = in + p * i->stride_width * i->channels;
  convolve(i, sum, rows, vectors, patch, w + j);
  UNROLL for (int p = 0; p < rows; p++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int first = j + v * LANES;
      store_some(out + p * i->filters + first, activate(with_bias(sum[p * vectors + v], bias, first), i->activation), i->filters - first);
    }
  }
}

INLINE void picture(const convolution_forward *i, int vectors, const float *in, const float *w, const float *bias, float *out, int j) {
  int step = i->stride_width * i->channels;
  for (int y = 0; y < i->out_height; y++) {
    const float *row = in + y * i->stride_height * i->width * i->channels;
    float *out_row = out + y * i->out_width * i->filters;
    int x = 0;
    for (; x + TILE_ROWS(vectors) <= i->out_width; x += TILE_ROWS(vectors)) {
      pixels(i, TILE_ROWS(vectors), vectors, row + x * step, w, bias, out_row + x * i->filters, j);
    }
    for (; x < i->out_width; x++) pixels(i, 1, vectors, row + x * step, w, bias, out_row + x * i->filters, j);
  }
}

// The same with max pooling 2x2, for `windows` windows side by side: four pixels of a tile are one window. A maximum takes t
// if t > m or t is a NaN. The bias comes after it, since rounding is monotone: the same value, and three additions fewer.
// `corner` is the offset of the first window's first pixel in its sample, `at` that of its first output.
INLINE void pooled_pixels(const convolution_forward *i, int windows, int vectors, const float *in, int corner, const float *w,
                          const float *bias, float *out, int32_t *offsets, int at, int j) {
  int right = i->stride_width * i->channels, down = i->stride_height * i->width * i->channels;
  int place[TILE_SUMS];
  const float *patch[TILE_SUMS];
  lanes sum[TILE_SUMS];
  UNROLL for (int p = 0; p < 4 * windows; p++) {
    place[p] = corner + (p / 4 * 2 + p % 2) * right + p % 4 / 2 * down;
    patch[p] = in + place[p];
  }
  convolve(i, sum, 4 * windows, vectors, patch, w + j);
  UNROLL for (int p = 0; p < windows; p++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      lanes largest = sum[4 * p * vectors + v];
      int_lanes winner = splat_int(place[4 * p]);
      UNROLL for (int q = 4 * p + 1; q < 4 * p + 4; q++) {
        lanes t = sum[q * vectors + v];
        int_lanes takes = (t > largest) | (t != t);
        largest = choose(takes, t, largest);
        winner = choose_int(takes, splat_int(place[q]), winner);
      }
      int first = j + v * LANES, to = at + p * i->filters + first;
      store_some(out + to, activate(with_bias(largest, bias, first), i->activation), i->filters - first);
      store_some_int(offsets + to, winner, i->filters - first);
    }
  }
}

INLINE void pooled_picture(const convolution_forward *i, int vectors, const float *in, const float *w, const float *bias, float *out,
                           int32_t *offsets, int j) {
  int right = 2 * i->stride_width * i->channels, down = 2 * i->stride_height * i->width * i->channels;
  for (int y = 0; y < i->out_height; y++) {
    int x = 0, at = y * i->out_width * i->filters;
    for (; x + TILE_ROWS(vectors) / 4 <= i->out_width; x += TILE_ROWS(vectors) / 4) {
      pooled_pixels(i, TILE_ROWS(vectors) / 4, vectors, in, y * down + x * right, w, bias, out, offsets, at + x * i->filters, j);
    }
    for (; x < i->out_width; x++) pooled_pixels(i, 1, vectors, in, y * down + x * right, w, bias, out, offsets, at + x * i->filters, j);
  }
}

void run_convolution_forward(const context *c, const convolution_forward *i) {
  const float *in = AT(const float, c, i->in), *w = AT(const float, c, i->weights), *bias = AT(const float, c, i->bias);
  float *out = AT(float, c, i->out);
  int32_t *offsets = AT(int32_t, c, i->offsets);
  int in_size = i->height * i->width * i->channels, out_size = i->out_height * i->out_width * i->filters;
  for (int b = 0; b < c->m; b++) {
    const float *from = in + b * in_size;
    float *to = out + b * out_size;
    int j = 0;
    if (offsets) {
      int32_t *winners = offsets + b * out_size;
      for (; j + LANES < i->filters; j += 2 * LANES) pooled_picture(i, 2, from, w, bias, to, winners, j);
      if (j < i->filters) pooled_picture(i, 1, from, w, bias, to, winners, j);
    } else {
      for (; j + LANES < i->filters; j += 2 * LANES) picture(i, 2, from, w, bias, to, j);
      if (j < i->filters) picture(i, 1, from, w, bias, to, j);
    }
  }
}
