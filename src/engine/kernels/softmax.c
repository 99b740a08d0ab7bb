// Softmax of rows, and its logarithm, in float64 inside.
#include "maths.h"
#include "program.h"

void run_softmax_forward(const context *c, const softmax_forward *i) {
  const float *in = AT(const float, c, i->in);
  float *out = AT(float, c, i->out);
  long rows = (long)i->rows * c->m;
  for (long row = 0; row < rows; row++, in += i->columns, out += i->columns) {
    double largest = (double)in[0], total = 0.0;
    for (int j = 1; j < i->columns; j++) if ((double)in[j] > largest || in[j] != in[j]) largest = (double)in[j];
    for (int j = 0; j < i->columns; j++) total += exp_double((double)in[j] - largest);
    double log_total = i->logarithm ? log_double(total) : 0.0;
    for (int j = 0; j < i->columns; j++) {
      double z = (double)in[j] - largest;
      out[j] = (float)(i->logarithm ? z - log_total : exp_double(z) / total);
    }
  }
}

void run_softmax_backward(const context *c, const softmax_backward *i) {
  const float *out = AT(const float, c, i->out);
  float *g = AT(float, c, i->gradient);
  long rows = (long)i->rows * c->m;
  for (long row = 0; row < rows; row++, out += i->columns, g += i->columns) {
    double sum = 0.0;
    for (int j = 0; j < i->columns; j++) sum += i->logarithm ? (double)g[j] : (double)g[j] * (double)out[j];
    for (int j = 0; j < i->columns; j++) {
      g[j] = (float)(i->logarithm ? (double)g[j] - exp_double((double)out[j]) * sum : (double)out[j] * ((double)g[j] - sum));
    }
  }
}
