#include "program.h"
#include "lanes.h"

#define OPCODE(name) OPCODE_##name,
enum { INSTRUCTIONS(OPCODE) OPCODE_COUNT };

#define CASE(name)                                              \
  case OPCODE_##name:                                           \
    run_##name(&c, (const name *)(word + 1));                   \
    word += 1 + sizeof(name) / sizeof(int32_t);                 \
    break;

void run_program(uintptr_t memory, uint32_t program, int words, int m, uint32_t weights, uint32_t sums) {
  const context c = {memory, weights, sums, m};
  const int32_t *word = (const int32_t *)(memory + program), *end = word + words;
  while (word < end) {
    switch (*word) {
      INSTRUCTIONS(CASE)
      default: __builtin_trap();
    }
  }
}

void add(uintptr_t memory, uint32_t target, uint32_t source, int size) {
  float *to = (float *)(memory + target);
  const float *from = (const float *)(memory + source);
  int i = 0;
  for (; i + LANES <= size; i += LANES) store(to + i, load(to + i) + load(from + i));
  for (; i < size; i++) to[i] += from[i];
}

int lane_count(void) { return LANES; }
