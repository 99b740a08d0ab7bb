// Element by element: sums, products, multiples and random masks.
#include "lanes.h"
#include "program.h"

void run_combine(const context *c, const combine *i) {
  const float *a = AT(const float, c, i->a), *b = AT(const float, c, i->b);
  float *out = AT(float, c, i->out);
  long size = (long)i->size * c->m;
  for (long n = 0; n < size; n += LANES) {
    lanes value = i->multiply ? load(a + n) * load(b + n) : load(a + n) + load(b + n);
    store_some(out + n, value, size - n < LANES ? (int)(size - n) : LANES);
  }
}

void run_scale_to(const context *c, const scale_to *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  lanes factor = splat(float_of(i->factor));
  long size = (long)i->size * c->m;
  for (long n = 0; n < size; n += LANES) store_some(to + n, load(from + n) * factor, size - n < LANES ? (int)(size - n) : LANES);
}

// Philox 4x32-10, as in src/core/random.ts.
static void philox(uint32_t *word, uint32_t key_0, uint32_t key_1) {
  for (int round = 0; round < 10; round++, key_0 += 0x9E3779B9u, key_1 += 0xBB67AE85u) {
    uint64_t a = (uint64_t)0xD2511F53u * word[0], b = (uint64_t)0xCD9E8D57u * word[2];
    word[0] = (uint32_t)(b >> 32) ^ word[1] ^ key_0;
    word[2] = (uint32_t)(a >> 32) ^ word[3] ^ key_1;
    word[1] = (uint32_t)b;
    word[3] = (uint32_t)a;
  }
}

void run_dropout(const context *c, const dropout *i) {
  const float *in = AT(const float, c, i->in);
  float *out = AT(float, c, i->out), scale = float_of(i->scale);
  const uint32_t *block = AT(const uint32_t, c, i->block);
  for (int b = 0; b < c->m; b++, in += i->size, out += i->size) {
    for (int n = 0; n < i->size; n += 4) {
      uint32_t word[4] = {(uint32_t)n / 4, block[2] + c->first + (uint32_t)b, block[3], 0};
      philox(word, (uint32_t)i->key_0, (uint32_t)i->key_1);
      for (int k = 0; k < 4 && n + k < i->size; k++) out[n + k] = in[n + k] * (word[k] < (uint32_t)i->threshold ? 0.0f : scale); // a NaN stays one
    }
  }
}
