// The one inner loop of convolutions and dense layers: a tile of ROWS times VECTORS sums, all in registers.
//
// sum[i][v] = sum over k and then r, ascending, of in[i][k * in_stride + r * in_step] * w[(k * length + r) * w_stride + v]
//
// A row is what all outputs of one vector share: a patch of the input (convolution), a sample (dense), or an input feature
// over the samples (weight gradient of a dense layer). Callers pass constants for ROWS and VECTORS.
#ifndef LOCKSTEP_TILE_H
#define LOCKSTEP_TILE_H
#include "lanes.h"

// Sums in a tile. An addition takes three cycles or four and two begin in each, so that fewer than 8 would wait for one
// another. With two weights and a splatted input, 8 fit the 16 registers of SSE and AVX2, 16 the 32 of AVX-512 and NEON.
#if defined(__AVX512VL__) || defined(__aarch64__)
#define TILE_SUMS 16
#else
#define TILE_SUMS 8
#endif
#define TILE_VECTORS 2
#define TILE_ROWS(vectors) (TILE_SUMS / (vectors))

// Steps that are written out one after the other, where that pays: V8 makes the better code of a short loop.
#ifdef __wasm__
#define TILE_STEPS 1
#else
#define TILE_STEPS 4
#endif

INLINE void tile_step(lanes *sum, int rows, int vectors, const float *const *in, int at, const float *w) {
  lanes weight[TILE_VECTORS];
  UNROLL for (int v = 0; v < vectors; v++) weight[v] = load(w + v * LANES);
  UNROLL for (int i = 0; i < rows; i++) {
    lanes x = splat(in[i][at]);
    UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] += x * weight[v]; // two roundings: never fused
  }
}

// `steps` are written out one after the other: a constant. So is `goes_on`: whether the sums begin with those in `to`.
INLINE void tile_sums(int steps, int goes_on, lanes *to, int rows, int vectors, const float *const *in, int blocks, int in_stride, int length,
                 int in_step, const float *w, int w_stride) {
  lanes sum[TILE_SUMS];
  UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = goes_on ? to[i] : splat(0.0f);
  for (int k = 0; k < blocks; k++) {
    const float *x[TILE_SUMS];
    UNROLL for (int i = 0; i < rows; i++) x[i] = in[i] + k * in_stride;
    int r = 0;
    for (; r + steps <= length; r += steps) {
      UNROLL for (int s = 0; s < steps; s++, w += w_stride) tile_step(sum, rows, vectors, x, s * in_step, w);
      UNROLL for (int i = 0; i < rows; i++) x[i] += steps * in_step;
    }
    for (; r < length; r++, w += w_stride) {
      tile_step(sum, rows, vectors, x, 0, w);
      UNROLL for (int i = 0; i < rows; i++) x[i] += in_step;
    }
  }
  UNROLL for (int i = 0; i < rows * vectors; i++) to[i] = sum[i];
}

INLINE void tile(int steps, lanes *to, int rows, int vectors, const float *const *in, int blocks, int in_stride, int length,
                 int in_step, const float *w, int w_stride) {
  tile_sums(steps, 0, to, rows, vectors, in, blocks, in_stride, length, in_step, w, w_stride);
}
#endif
