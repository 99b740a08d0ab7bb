// The kernels at one width, as the addon calls them.
#ifndef LOCKSTEP_VARIANT_H
#define LOCKSTEP_VARIANT_H
#include <stdint.h>

typedef struct {
  const char *name; // of the instruction set
  void (*run_program)(uintptr_t memory, uint32_t program, int words, int m, uint32_t weights, uint32_t sums);
  void (*run_loop)(uintptr_t memory, uint32_t call);
  void (*add)(uintptr_t memory, uint32_t target, uint32_t source, int size);
  void (*code)(uintptr_t memory, uint32_t request);
  int (*lane_count)(void);
} variant;
#endif
