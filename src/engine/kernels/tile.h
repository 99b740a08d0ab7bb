// The one inner loop of convolutions and dense layers: a tile of ROWS times VECTORS sums, all in registers.
//
// sum[i][v] = sum over k and then r, ascending, of in[i][k * in_stride + r * in_step] * w[(k * length + r) * w_stride + v]
//
// A row is what all outputs of one vector share: a patch of the input (convolution), a sample (dense), or an input feature
// over the samples (weight gradient of a dense layer). Callers pass constants for ROWS, VECTORS and in_step.
#ifndef LOCKSTEP_TILE_H
#define LOCKSTEP_TILE_H
#include "lanes.h"

// 4 * 2 sums, 2 weights and a splatted input fit the 16 registers of SSE and AVX2.
#define TILE_ROWS 4
#define TILE_VECTORS 2

INLINE void tile(lanes *sum, int rows, int vectors, const float *const *in, int blocks, int in_stride, int length, int in_step,
                 const float *w, int w_stride) {
  UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = splat(0.0f);
  for (int k = 0; k < blocks; k++) {
    for (int r = 0; r < length; r++) {
      lanes weight[TILE_VECTORS];
      UNROLL for (int v = 0; v < vectors; v++) weight[v] = load(w + v * LANES);
      UNROLL for (int i = 0; i < rows; i++) {
        lanes x = splat(in[i][k * in_stride + r * in_step]);
        UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] += x * weight[v]; // two roundings: never fused
      }
      w += w_stride;
    }
  }
}
#endif
