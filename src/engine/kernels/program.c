#include "program.h"
#include "lanes.h"

#define OPCODE(name) OPCODE_##name,
enum { INSTRUCTIONS(OPCODE) OPCODE_COUNT };

// The one instruction that changes the context of those behind it.
void run_begin_block(const context *c, const begin_block *i) {
  const uint32_t *block = AT(const uint32_t, c, i->block);
  ((context *)c)->first = block[0];
  ((context *)c)->samples = block[1];
}

#define CASE(name)                                              \
  case OPCODE_##name:                                           \
    run_##name(&c, (const name *)(word + 1));                   \
    word += 1 + sizeof(name) / sizeof(int32_t);                 \
    break;

void run_program(uintptr_t memory, uint32_t program, int words, int m, uint32_t weights, uint32_t sums) {
  context c = {memory, weights, sums, m, 0, 0};
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
