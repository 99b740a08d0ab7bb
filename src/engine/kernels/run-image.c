// Runs a plan on a memory image, outside of Node: proof that the kernels compute the same bits natively, at any LANES.
//
//     run-image IMAGE RESULT
//
// IMAGE: 8 words (packing's address and length, gradient's address and length, m, address of the weights, address of the
// sums, length of the sums), then the memory from address 0 on. RESULT: the sums.
#include <stdio.h>
#include <stdlib.h>
#include "program.h"

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *image = fopen(argv[1], "rb"), *result = fopen(argv[2], "wb");
  if (!image || !result || fseek(image, 0, SEEK_END)) return 1;
  long size = ftell(image);
  uint32_t head[8];
  rewind(image);
  if (fread(head, sizeof head, 1, image) != 1) return 1;
  size_t bytes = (size_t)size - sizeof head;
  char *memory = aligned_alloc(64, (bytes + 127) / 64 * 64); // and one vector behind the end
  if (!memory || fread(memory, 1, bytes, image) != bytes) return 1;
  run_program((uintptr_t)memory, head[0], (int)head[1], (int)head[4], head[5], head[6]);
  run_program((uintptr_t)memory, head[2], (int)head[3], (int)head[4], head[5], head[6]);
  if (fwrite(memory + head[6], 4, head[7], result) != head[7]) return 1;
  return fclose(result) ? 1 : 0;
}
