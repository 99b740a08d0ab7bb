// Dense layers. The gradient of the input is a forward pass of the gradient through the transposed weights.
#include "activation.h"
#include "program.h"
#include "tile.h"

INLINE void samples_forward(const dense_forward *i, int rows, int vectors, const float *in, const float *w, const float *bias, float *out, int j) {
  const float *row[TILE_SUMS];
  lanes sum[TILE_SUMS];
  UNROLL for (int p = 0; p < rows; p++) row[p] = in + p * i->inputs;
  tile(TILE_STEPS, sum, rows, vectors, row, 1, 0, i->inputs, 1, w + j, padded(i->outputs));
  UNROLL for (int p = 0; p < rows; p++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int first = j + v * LANES;
      lanes z = bias ? sum[p * vectors + v] + load(bias + first) : sum[p * vectors + v];
      store_some(out + p * i->outputs + first, activate(z, i->activation), i->outputs - first);
    }
  }
}

INLINE void outputs_forward(const context *c, const dense_forward *i, int vectors, int j) {
  const float *in = AT(const float, c, i->in), *w = AT(const float, c, i->weights), *bias = AT(const float, c, i->bias);
  float *out = AT(float, c, i->out);
  int b = 0, rows = c->m * i->rows;
  for (; b + TILE_ROWS(vectors) <= rows; b += TILE_ROWS(vectors)) {
    samples_forward(i, TILE_ROWS(vectors), vectors, in + b * i->inputs, w, bias, out + b * i->outputs, j);
  }
  for (; b < rows; b++) samples_forward(i, 1, vectors, in + b * i->inputs, w, bias, out + b * i->outputs, j);
}

void run_dense_forward(const context *c, const dense_forward *i) {
  int j = 0;
  for (; j + LANES < i->outputs; j += 2 * LANES) outputs_forward(c, i, 2, j);
  if (j < i->outputs) outputs_forward(c, i, 1, j);
}

// A tile's rows are input features here, and its sum runs over the samples' rows.
INLINE void features_backward(const context *c, const dense_backward *i, int rows, int vectors, int k, int j) {
  const float *in = AT(const float, c, i->in), *gradient = AT(const float, c, i->gradient);
  float *out = AT(float, c, i->weight_gradient) + k * i->outputs;
  const float *feature[TILE_SUMS];
  lanes sum[TILE_SUMS];
  UNROLL for (int p = 0; p < rows; p++) {
    feature[p] = in + k + p;
    UNROLL for (int v = 0; v < vectors; v++) sum[p * vectors + v] = c->first == 0 ? splat(0.0f) : load(out + p * i->outputs + j + v * LANES);
  }
  tile_sums(TILE_STEPS, 1, sum, rows, vectors, feature, 1, 0, c->m * i->rows, i->inputs, gradient + j, i->outputs);
  UNROLL for (int p = 0; p < rows; p++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int first = j + v * LANES;
      store_some(out + p * i->outputs + first, sum[p * vectors + v], i->outputs - first);
    }
  }
}

INLINE void outputs_backward(const context *c, const dense_backward *i, int vectors, int j) {
  int k = 0;
  for (; k + TILE_ROWS(vectors) <= i->inputs; k += TILE_ROWS(vectors)) features_backward(c, i, TILE_ROWS(vectors), vectors, k, j);
  for (; k < i->inputs; k++) features_backward(c, i, 1, vectors, k, j);
}

void run_dense_backward(const context *c, const dense_backward *i) {
  int j = 0;
  for (; j + LANES < i->outputs; j += 2 * LANES) outputs_backward(c, i, 2, j);
  if (j < i->outputs) outputs_backward(c, i, 1, j);
}

void run_column_sums(const context *c, const column_sums *i) {
  const float *in = AT(const float, c, i->in);
  float *out = AT(float, c, i->out);
  long rows = (long)i->rows * c->m;
  for (int j = 0; j < i->columns; j += LANES) {
    lanes sum = c->first == 0 ? splat(0.0f) : load(out + j);
    for (long row = 0; row < rows; row++) sum += load(in + row * i->columns + j);
    store_some(out + j, sum, i->columns - j);
  }
}
