// Weight gradient of a convolution, for gradients most of which are not zero: a tile's rows are elements of the patch, its
// vectors run across filters, and its sum over the pixels of a sample; the samples' sums are added in their order.
#include "program.h"
#include "tile.h"

#define PIXELS(rows, vectors)                                                                                            \
  APART void pixels_##rows##_##vectors(const convolution_weights *i, lanes *sum, const float *in, const float *gradient) { \
    const float *element[rows];                                                                                          \
    UNROLL for (int n = 0; n < rows; n++) element[n] = in + n;                                                           \
    tile(TILE_STEPS, sum, rows, vectors, element, i->out_height, i->stride_height * i->width * i->channels, i->out_width, \
         i->stride_width * i->channels, gradient, i->filters);                                                           \
  }
PIXELS(1, 1)
PIXELS(1, 2)
PIXELS(4, 1)
PIXELS(4, 2)
#if TILE_SUMS == 16
PIXELS(8, 1)
PIXELS(8, 2)
#endif

// `rows` elements of the patch from `in` on. All constants for the compiler, `first` too: whether this is the first sample.
INLINE void elements(const convolution_weights *i, int rows, int vectors, int first, const float *in, const float *gradient, float *to, int j) {
  lanes sum[TILE_SUMS];
#define CHOICE(r, v) \
  if (rows == r && vectors == v) pixels_##r##_##v(i, sum, in, gradient + j);
  CHOICE(1, 1)
  CHOICE(1, 2)
  CHOICE(4, 1)
  CHOICE(4, 2)
#if TILE_SUMS == 16
  CHOICE(8, 1)
  CHOICE(8, 2)
#endif
#undef CHOICE
  UNROLL for (int n = 0; n < rows; n++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      float *at = to + n * i->filters + j + v * LANES;
      lanes s = sum[n * vectors + v];
      store_some(at, first ? s : load(at) + s, i->filters - j - v * LANES);
    }
  }
}

// `length` elements that lie side by side in the picture.
INLINE void stretch(const convolution_weights *i, int vectors, int first, int length, const float *in, const float *gradient, float *to, int j) {
  int r = 0;
#if TILE_SUMS == 16
  for (; r + 8 <= length; r += 8) elements(i, 8, vectors, first, in + r, gradient, to + r * i->filters, j);
#endif
  for (; r + 4 <= length; r += 4) elements(i, 4, vectors, first, in + r, gradient, to + r * i->filters, j);
  for (; r < length; r++) elements(i, 1, vectors, first, in + r, gradient, to + r * i->filters, j);
}

static void sample_to_weights(const convolution_weights *i, int first, const float *in, const float *gradient, float *to) {
  int side_by_side = i->dilation_width == 1, length = (side_by_side ? i->kernel_width : 1) * i->channels;
  for (int y = 0; y < i->kernel_height; y++) {
    for (int x = 0; x < i->kernel_width; x += side_by_side ? i->kernel_width : 1) {
      const float *from = in + (y * i->dilation_height * i->width + x * i->dilation_width) * i->channels;
      float *at = to + (y * i->kernel_width + x) * i->channels * i->filters;
      int j = 0;
      for (; j + LANES < i->filters; j += 2 * LANES) stretch(i, 2, first, length, from, gradient, at, j);
      if (j < i->filters) stretch(i, 1, first, length, from, gradient, at, j);
    }
  }
}

void run_convolution_weights(const context *c, const convolution_weights *i) {
  const float *in = AT(const float, c, i->in), *gradient = AT(const float, c, i->gradient);
  for (int b = 0; b < c->m; b++) {
    sample_to_weights(i, b == 0 && c->first == 0, in + b * i->height * i->width * i->channels, gradient + b * i->out_height * i->out_width * i->filters,
                      AT(float, c, i->weight_gradient));
  }
}
