// Convolution, forward: tiles of four output pixels times two vectors of filters.
#include "activation.h"
#include "program.h"
#include "tile.h"

INLINE lanes with_bias(lanes sum, const float *bias, int j) { return bias ? sum + load(bias + j) : sum; }

// `vectors` vectors of filters from j on, for the pixels x..x+rows-1 of one output row.
INLINE void pixels(const convolution_forward *i, int rows, int vectors, int activation, const float *in, const float *w, const float *bias,
                   float *out, int j) {
  const float *patch[TILE_ROWS];
  lanes sum[TILE_ROWS * TILE_VECTORS];
  UNROLL for (int p = 0; p < rows; p++) patch[p] = in + p * i->stride_width * i->channels;
  tile(sum, rows, vectors, patch, i->kernel_height, i->width * i->channels, i->kernel_width * i->channels, 1, w + j, padded(i->filters));
  UNROLL for (int p = 0; p < rows; p++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int first = j + v * LANES;
      store_some(out + p * i->filters + first, activate(with_bias(sum[p * vectors + v], bias, first), activation), i->filters - first);
    }
  }
}

INLINE void picture(const convolution_forward *i, int vectors, const float *in, const float *w, const float *bias, float *out, int j) {
  int step = i->stride_width * i->channels;
  for (int y = 0; y < i->out_height; y++) {
    const float *row = in + y * i->stride_height * i->width * i->channels;
    float *out_row = out + y * i->out_width * i->filters;
    int x = 0;
    for (; x + TILE_ROWS <= i->out_width; x += TILE_ROWS) {
      pixels(i, TILE_ROWS, vectors, i->activation, row + x * step, w, bias, out_row + x * i->filters, j);
    }
    for (; x < i->out_width; x++) pixels(i, 1, vectors, i->activation, row + x * step, w, bias, out_row + x * i->filters, j);
  }
}

// The same with max pooling 2x2: the four pixels of a tile are one window. A maximum takes t if t > m or t is a NaN. The
// bias comes after it, since rounding is monotone: the same value, and three additions fewer.
INLINE void pooled_picture(const convolution_forward *i, int vectors, const float *in, const float *w, const float *bias, float *out,
                           int32_t *offsets, int j) {
  int right = i->stride_width * i->channels, down = i->stride_height * i->width * i->channels;
  for (int y = 0; y < i->out_height; y++) {
    for (int x = 0; x < i->out_width; x++) {
      int corner = 2 * y * down + 2 * x * right;
      const int place[TILE_ROWS] = {corner, corner + right, corner + down, corner + down + right};
      const float *patch[TILE_ROWS] = {in + place[0], in + place[1], in + place[2], in + place[3]};
      lanes sum[TILE_ROWS * TILE_VECTORS];
      tile(sum, TILE_ROWS, vectors, patch, i->kernel_height, i->width * i->channels, i->kernel_width * i->channels, 1, w + j,
           padded(i->filters));
      UNROLL for (int v = 0; v < vectors; v++) {
        lanes largest = sum[v];
        int_lanes winner = splat_int(place[0]);
        UNROLL for (int p = 1; p < TILE_ROWS; p++) {
          lanes t = sum[p * vectors + v];
          int_lanes takes = (t > largest) | (t != t);
          largest = choose(takes, t, largest);
          winner = choose_int(takes, splat_int(place[p]), winner);
        }
        int first = j + v * LANES, at = (y * i->out_width + x) * i->filters + first;
        store_some(out + at, activate(with_bias(largest, bias, first), i->activation), i->filters - first);
        store_some_int(offsets + at, winner, i->filters - first);
      }
    }
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
