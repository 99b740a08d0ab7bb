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

// Steps that are written out one after the other. V8 puts the arithmetic of a straight piece of code behind all of its loads,
// so that the vectors of several steps would not fit the registers. A branch between two steps keeps them apart: there, each
// step ends by asking whether it was the last one.
#ifdef __wasm__
#define TILE_STEPS 6
#define BRANCH_BETWEEN_STEPS 1
#else
#define TILE_STEPS 4
#define BRANCH_BETWEEN_STEPS 0
#endif

// With AVX-512 two vectors are one of twice the length: half of the instructions for the same sums.
#if defined(__AVX512F__) && LANES == 8
#define PAIRS_ARE_VECTORS 1
typedef float pair __attribute__((vector_size(64)));
typedef float unaligned_pair __attribute__((vector_size(64), aligned(4), may_alias));
INLINE pair splat_pair(float x) { return (pair){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
#else
#define PAIRS_ARE_VECTORS 0
typedef lanes pair;
typedef unaligned_lanes unaligned_pair;
INLINE pair splat_pair(float x) { return splat(x); }
#endif
INLINE pair load_pair(const void *from) { return *(const unaligned_pair *)from; }
INLINE void store_pair(void *to, pair v) { *(unaligned_pair *)to = v; }

INLINE void tile_step(lanes *sum, pair *pairs, int rows, int vectors, const float *const *in, int at, const float *w) {
  if (PAIRS_ARE_VECTORS && vectors == 2) {
    pair weight = load_pair(w);
    UNROLL for (int i = 0; i < rows; i++) pairs[i] += splat_pair(in[i][at]) * weight; // two roundings: never fused
    return;
  }
  lanes weight[TILE_VECTORS];
  UNROLL for (int v = 0; v < vectors; v++) weight[v] = load(w + v * LANES);
  UNROLL for (int i = 0; i < rows; i++) {
    lanes x = splat(in[i][at]);
    UNROLL for (int v = 0; v < vectors; v++) sum[i * vectors + v] += x * weight[v];
  }
}

// `steps` are written out one after the other: a constant. So is `goes_on`: whether the sums begin with those in `to`.
INLINE void tile_sums(int steps, int goes_on, lanes *to, int rows, int vectors, const float *const *in, int blocks, int in_stride, int length,
                 int in_step, const float *w, int w_stride) {
  lanes sum[TILE_SUMS];
  pair pairs[TILE_SUMS / 2]; // of the two arrays a compiler keeps one
  UNROLL for (int i = 0; i < rows * vectors; i++) sum[i] = goes_on ? to[i] : splat(0.0f);
  if (PAIRS_ARE_VECTORS && vectors == 2) UNROLL for (int i = 0; i < rows; i++) pairs[i] = goes_on ? load_pair(to + 2 * i) : splat_pair(0.0f);
  for (int k = 0; k < blocks; k++) {
    const float *x[TILE_SUMS];
    UNROLL for (int i = 0; i < rows; i++) x[i] = in[i] + k * in_stride;
#if BRANCH_BETWEEN_STEPS
#define STEP(s)                                            \
  tile_step(sum, pairs, rows, vectors, x, s * in_step, w); \
  w += w_stride;                                           \
  if (--left == 0) break;
    _Static_assert(TILE_STEPS == 6, "as many as are written out");
    for (int left = length; left > 0;) {
      STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5)
      UNROLL for (int i = 0; i < rows; i++) x[i] += steps * in_step;
    }
#undef STEP
#else
    int r = 0;
    for (; r + steps <= length; r += steps) {
      UNROLL for (int s = 0; s < steps; s++, w += w_stride) tile_step(sum, pairs, rows, vectors, x, s * in_step, w);
      UNROLL for (int i = 0; i < rows; i++) x[i] += steps * in_step;
    }
    for (; r < length; r++, w += w_stride) {
      tile_step(sum, pairs, rows, vectors, x, 0, w);
      UNROLL for (int i = 0; i < rows; i++) x[i] += in_step;
    }
#endif
  }
  UNROLL for (int i = 0; i < rows * vectors; i++) to[i] = sum[i];
  if (PAIRS_ARE_VECTORS && vectors == 2) UNROLL for (int i = 0; i < rows; i++) store_pair(to + 2 * i, pairs[i]);
}

INLINE void tile(int steps, lanes *to, int rows, int vectors, const float *const *in, int blocks, int in_stride, int length,
                 int in_step, const float *w, int w_stride) {
  tile_sums(steps, 0, to, rows, vectors, in, blocks, in_stride, length, in_step, w, w_stride);
}
#endif
