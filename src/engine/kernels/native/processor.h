// Which instruction sets the processor and the operating system offer. Not by the compiler's built-in function: it needs a
// library that a prebuilt addon, which stands alone, does not have.
#ifndef LOCKSTEP_PROCESSOR_H
#define LOCKSTEP_PROCESSOR_H
#if defined(__x86_64__)
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

// Registers that the operating system saves when it switches threads, by the bits of XCR0.
#define AVX_STATE 0x06u    // XMM and YMM
#define AVX512_STATE 0xE6u // and the masks, the upper halves of ZMM0-15, ZMM16-31

static inline bool system_saves(uint32_t state) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return false;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (a & state) == state;
}

static inline bool processor_has(uint32_t bits_of_leaf_7) {
  uint32_t a, b, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bits_of_leaf_7) == bits_of_leaf_7;
}

static inline bool has_avx2(void) { return system_saves(AVX_STATE) && processor_has(bit_AVX2); }
static inline bool has_avx512(void) {
  return system_saves(AVX512_STATE) && processor_has(bit_AVX2 | bit_AVX512F | bit_AVX512DQ | bit_AVX512VL);
}
#endif
#endif
