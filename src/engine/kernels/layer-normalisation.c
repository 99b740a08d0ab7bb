// Layer normalisation: of each row over its columns. Statistics are taken in two passes, mean before variance, in float64, one
// element after the other.
#include "lanes.h"
#include "program.h"

void run_layer_normalisation_forward(const context *c, const layer_normalisation_forward *i) {
  const float *in = AT(const float, c, i->in), *gamma = AT(const float, c, i->gamma), *beta = AT(const float, c, i->beta);
  float *out = AT(float, c, i->out), *mean = AT(float, c, i->mean), *inverse = AT(float, c, i->inverse);
  int columns = i->columns;
  double epsilon = (double)float_of(i->epsilon);
  long rows = (long)i->rows * c->m;
  for (long row = 0; row < rows; row++, in += columns, out += columns) {
    double sum = 0.0, squares = 0.0;
    for (int j = 0; j < columns; j++) sum += (double)in[j];
    double centre = sum / columns;
    for (int j = 0; j < columns; j++) squares += ((double)in[j] - centre) * ((double)in[j] - centre);
    mean[row] = (float)centre;
    inverse[row] = (float)(1.0 / __builtin_sqrt(squares / columns + epsilon));
    for (int j = 0; j < columns; j++) {
      float x = (in[j] - mean[row]) * inverse[row];
      out[j] = (gamma ? x * gamma[j] : x) + (beta ? beta[j] : 0.0f);
    }
  }
}

void run_layer_normalisation_backward(const context *c, const layer_normalisation_backward *i) {
  const float *in = AT(const float, c, i->in), *gamma = AT(const float, c, i->gamma), *gradient = AT(const float, c, i->gradient);
  const float *mean = AT(const float, c, i->mean), *inverse = AT(const float, c, i->inverse);
  float *to = AT(float, c, i->in_gradient), *gamma_gradient = AT(float, c, i->gamma_gradient), *beta_gradient = AT(float, c, i->beta_gradient);
  int columns = i->columns;
  long rows = (long)i->rows * c->m;
  for (int j = 0; j < columns && c->first == 0; j++) {
    if (gamma_gradient) gamma_gradient[j] = 0.0f;
    if (beta_gradient) beta_gradient[j] = 0.0f;
  }
  for (long row = 0; row < rows; row++, in += columns, gradient += columns) {
    double sum = 0.0, product = 0.0;
    for (int j = 0; j < columns; j++) {
      float x = (in[j] - mean[row]) * inverse[row], g = gamma ? gradient[j] * gamma[j] : gradient[j];
      sum += (double)g;
      product += (double)g * (double)x;
      if (gamma_gradient) gamma_gradient[j] += gradient[j] * x;
      if (beta_gradient) beta_gradient[j] += gradient[j];
    }
    if (!to) continue;
    float s = (float)(sum / columns), p = (float)(product / columns);
    for (int j = 0; j < columns; j++) {
      float x = (in[j] - mean[row]) * inverse[row], g = gamma ? gradient[j] * gamma[j] : gradient[j];
      to[row * columns + j] = inverse[row] * ((g - s) - x * p);
    }
  }
}
