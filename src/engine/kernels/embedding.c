// Embedding: rows of a table. An index is truncated to an integer, as TensorFlow.js does.
#include "program.h"

// Whether the table has a row for this index; no NaN has one.
static int has_row(float index, int vocabulary) { return index > -1.0f && index < (float)vocabulary; }

void run_embedding_forward(const context *c, const embedding_forward *i) {
  const float *in = AT(const float, c, i->in), *table = AT(const float, c, i->table);
  float *out = AT(float, c, i->out);
  long count = (long)i->rows * c->m;
  for (long n = 0; n < count; n++, out += i->width) {
    const float *row = has_row(in[n], i->vocabulary) ? table + (int)in[n] * i->width : 0;
    for (int j = 0; j < i->width; j++) out[j] = row ? row[j] : __builtin_nanf("");
  }
}

void run_embedding_backward(const context *c, const embedding_backward *i) {
  const float *in = AT(const float, c, i->in), *gradient = AT(const float, c, i->gradient);
  float *to = AT(float, c, i->table_gradient);
  long count = (long)i->rows * c->m;
  for (int n = 0; n < i->vocabulary * i->width && c->first == 0; n++) to[n] = 0.0f;
  for (long n = 0; n < count; n++, gradient += i->width) {
    if (!has_row(in[n], i->vocabulary)) continue;
    float *row = to + (int)in[n] * i->width;
    for (int j = 0; j < i->width; j++) row[j] += gradient[j];
  }
}
