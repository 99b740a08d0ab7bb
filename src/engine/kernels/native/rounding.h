// The processor's floating-point mode: round to nearest, denormals kept, nothing trapped, which is what WebAssembly has.
// Another addon of the process may have left it otherwise.
#ifndef LOCKSTEP_ROUNDING_H
#define LOCKSTEP_ROUNDING_H
#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
typedef uint32_t float_mode;
static inline float_mode read_float_mode(void) { return _mm_getcsr(); }
static inline void write_float_mode(float_mode mode) { _mm_setcsr(mode); }
#define IEEE_FLOAT_MODE 0x1F80u // all exceptions masked, round to nearest, neither flush-to-zero nor denormals-are-zero
#elif defined(__aarch64__)
typedef uint64_t float_mode;
static inline float_mode read_float_mode(void) {
  float_mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
static inline void write_float_mode(float_mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory"); }
#define IEEE_FLOAT_MODE 0u
#else
#error "x86-64 or arm64"
#endif
#endif
