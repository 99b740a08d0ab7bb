// What travels for a vector, encoded and decoded: the bits of collective/codecs/bf16.ts and int8.ts, at the speed of vectors.
#include "lanes.h"
#include "program.h"

enum { BF16_ENCODE, BF16_DECODE, INT8_ENCODE, INT8_DECODE };

// Floats that share a scale, and floats for which one call of Philox draws.
#define BLOCK 256
#define DRAWN 8
// Below it a scale would lose bits itself.
#define SMALLEST_NORMAL 1.1754943508222875e-38f
// Added and taken away, it rounds a float64 of at most 2^51 to an integer, ties to even.
#define TO_INTEGER 6755399441055744.0

static void bf16_encode(int32_t *bits, uint16_t *half, int size) {
  if (size & 1) half[size] = 0; // padding
  for (int i = 0; i < size; i++) {
    uint32_t b = (uint32_t)bits[i], rounded = (b + 0x7fff + ((b >> 16) & 1)) >> 16;
    // Of a NaN the rounding could carry into the sign: it is cut off instead, and kept a NaN.
    uint32_t h = (b & 0x7fffffff) > 0x7f800000 ? (b >> 16) | 0x40 : rounded;
    half[i] = (uint16_t)h;
    bits[i] = (int32_t)(h << 16);
  }
}

static void bf16_decode(int32_t *bits, const uint16_t *half, int size) {
  for (int i = 0; i < size; i++) bits[i] = (int32_t)((uint32_t)half[i] << 16);
}

// 0 for a block that is sent as zeros, NaN if a value is not finite.
static float scale_of(const float *values, int size) {
  const int32_t *bits = (const int32_t *)values;
  int32_t largest = 0; // magnitudes are in the order of their bits, what is not finite above all others
  for (int i = 0; i < size; i++) {
    int32_t magnitude = bits[i] & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest >= 0x7f800000) return __builtin_nanf("");
  float value;
  __builtin_memcpy(&value, &largest, sizeof value);
  double scale = (double)value / 127;
  return scale < SMALLEST_NORMAL ? 0 : (float)scale;
}

// Sixteen bits for each float of a block, as collective/codecs/rounding-bits.ts draws them.
static void draw(uint16_t *bits, const codec_request *r, uint32_t element) {
  enum { CALLS = BLOCK / DRAWN };
  uint32_t a[CALLS], b[CALLS], c[CALLS], d[CALLS], key_0 = r->key_0, key_1 = r->key_1;
  for (int i = 0; i < CALLS; i++) {
    a[i] = element / DRAWN + (uint32_t)i;
    b[i] = r->counter_1;
    c[i] = r->counter_2;
    d[i] = r->counter_3;
  }
  for (int round = 0; round < 10; round++, key_0 += 0x9E3779B9u, key_1 += 0xBB67AE85u) {
    for (int i = 0; i < CALLS; i++) {
      uint64_t first = (uint64_t)0xD2511F53u * a[i], second = (uint64_t)0xCD9E8D57u * c[i];
      a[i] = (uint32_t)(second >> 32) ^ b[i] ^ key_0;
      c[i] = (uint32_t)(first >> 32) ^ d[i] ^ key_1;
      b[i] = (uint32_t)second;
      d[i] = (uint32_t)first;
    }
  }
  for (int i = 0; i < CALLS; i++, bits += DRAWN) {
    uint32_t word[4] = {a[i], b[i], c[i], d[i]};
    for (int n = 0; n < 4; n++) {
      bits[2 * n] = (uint16_t)word[n];
      bits[2 * n + 1] = (uint16_t)(word[n] >> 16);
    }
  }
}

static void round_block(float *values, int8_t *integers, int size, double scale, const uint16_t *random) {
  double inverse = scale == 0 ? 0 : 1 / scale;
  if (!random) {
    for (int i = 0; i < size; i++) {
      double integer = values[i] * inverse + TO_INTEGER - TO_INTEGER; // at most 127.00001 before rounding
      integers[i] = (int8_t)(int32_t)integer;
      values[i] = (float)(integer * scale);
    }
    return;
  }
  for (int i = 0; i < size; i++) {
    double threshold = (random[i] + 0.5) / 65536 - 0.5; // moves what rounding to the nearest would give
    double integer = values[i] * inverse + threshold + TO_INTEGER - TO_INTEGER;
    integer = integer > 127 ? 127 : integer < -127 ? -127 : integer;
    integers[i] = (int8_t)(int32_t)integer;
    values[i] = (float)(integer * scale);
  }
}

static void int8_encode(float *values, float *scales, float *residual, const codec_request *r) {
  int size = (int)r->size, blocks = (size + BLOCK - 1) / BLOCK;
  int8_t *integers = (int8_t *)(scales + blocks);
  uint16_t random[BLOCK];
  for (int block = 0; block < blocks; block++) {
    int begin = block * BLOCK, count = size - begin < BLOCK ? size - begin : BLOCK;
    float *value = values + begin, *lost = residual ? residual + begin : 0;
    if (lost) {
      for (int i = 0; i < count; i++) value[i] += lost[i];
      for (int i = 0; i < count; i++) lost[i] = value[i];
    }
    float scale = scales[block] = scale_of(value, count);
    if (scale != scale) {
      for (int i = 0; i < count; i++) integers[begin + i] = 0, value[i] = scale;
    } else {
      if (r->is_random) draw(random, r, r->element + (uint32_t)begin);
      round_block(value, integers + begin, count, scale, r->is_random ? random : 0);
    }
    if (lost)
      for (int i = 0; i < count; i++) lost[i] -= value[i];
  }
  for (int i = size; i % 4; i++) integers[i] = 0; // padding
}

static void int8_decode(float *values, const float *scales, int size) {
  const int8_t *integers = (const int8_t *)(scales + (size + BLOCK - 1) / BLOCK);
  for (int begin = 0; begin < size; begin += BLOCK, scales++) {
    double scale = *scales;
    int end = size - begin < BLOCK ? size : begin + BLOCK;
    for (int i = begin; i < end; i++) values[i] = (float)(integers[i] * scale);
  }
}

void code(uintptr_t memory, uint32_t request) {
  const codec_request *r = (const codec_request *)(memory + request);
  void *values = (void *)(memory + r->values), *bytes = (void *)(memory + r->bytes);
  switch (r->what) {
    case BF16_ENCODE: return bf16_encode(values, bytes, (int)r->size);
    case BF16_DECODE: return bf16_decode(values, bytes, (int)r->size);
    case INT8_ENCODE: return int8_encode(values, bytes, r->residual ? (float *)(memory + r->residual) : 0, r);
    case INT8_DECODE: return int8_decode(values, bytes, (int)r->size);
    default: __builtin_trap();
  }
}
