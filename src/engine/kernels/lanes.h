// Vectors of LANES floats: 4 for wasm, SSE and NEON, 8 for AVX2, 16 for AVX-512.
//
// Vectors run across outputs and never along a sum, and multiplications and additions are rounded one by one
// (-ffp-contract=off), so results have the same bits whatever LANES is. Loads and stores need no alignment. A load may run
// up to LANES - 1 floats past the end of its row: those lanes are never stored, and every buffer ends in slack for it.
#ifndef LOCKSTEP_LANES_H
#define LOCKSTEP_LANES_H
#include <stdint.h>

#ifndef LANES
#define LANES 4
#endif

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LANES)));
typedef float unaligned_lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t unaligned_int_lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
// A function that holds an inner loop. V8 keeps the loop's numbers in registers only if the function is short: convolutions
// took twice the time otherwise. Compilers for a processor do better when they see everything.
#ifdef __wasm__
#define APART static __attribute__((noinline))
#else
#define APART INLINE
#endif
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 64")
#endif

#if LANES == 4
#define ALL_LANES(x) {x, x, x, x}
#define LANE_NUMBERS {0, 1, 2, 3}
#elif LANES == 8
#define ALL_LANES(x) {x, x, x, x, x, x, x, x}
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7}
#elif LANES == 16
#define ALL_LANES(x) {x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
#else
#error "LANES is 4, 8 or 16"
#endif

INLINE lanes splat(float x) { return (lanes)ALL_LANES(x); }
INLINE int_lanes splat_int(int32_t x) { return (int_lanes)ALL_LANES(x); }
INLINE lanes load(const float *from) { return *(const unaligned_lanes *)from; }
INLINE void store(float *to, lanes v) { *(unaligned_lanes *)to = v; }

// Stores the first `count` lanes, all of them when there are as many or more. Fewer go in pieces of 8, 4, 2 and 1.
INLINE void store_some(float *to, lanes v, int count) {
  if (count >= LANES) return store(to, v);
  float part[LANES];
  store(part, v);
#define STORE_PIECE(n)                                        \
  if (LANES > n && count & n) {                               \
    __builtin_memcpy(to + at, part + at, n * sizeof(float));  \
    at += n;                                                  \
  }
  int at = 0;
  STORE_PIECE(8)
  STORE_PIECE(4)
  STORE_PIECE(2)
  STORE_PIECE(1)
#undef STORE_PIECE
}

INLINE void store_some_int(int32_t *to, int_lanes v, int count) { store_some((float *)to, (lanes)v, count); }

// Lane by lane: mask ? a : b, where a lane of the mask is all ones or all zeros, as comparisons give it.
INLINE lanes choose(int_lanes mask, lanes a, lanes b) { return (lanes)((mask & (int_lanes)a) | (~mask & (int_lanes)b)); }
INLINE int_lanes choose_int(int_lanes mask, int_lanes a, int_lanes b) { return (mask & a) | (~mask & b); }

// The multiple of LANES that holds `count`: the length of a padded row.
INLINE int padded(int count) { return (count + LANES - 1) / LANES * LANES; }
#endif
