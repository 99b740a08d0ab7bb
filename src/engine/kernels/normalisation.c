// Batch and layer normalisation. Statistics are taken in two passes, mean before variance.
//
// Of a channel a sample is summed in float32, vectors across channels, and the samples' sums in float64. Of a row everything
// is summed in float64, one element after the other.
#include "lanes.h"
#include "program.h"

// Adds the first lanes of a sample's sum to the channels' totals.
INLINE void add_to_totals(double *total, lanes sum, int count) {
  float part[LANES];
  store(part, sum);
  for (int l = 0; l < LANES && l < count; l++) total[l] += (double)part[l];
}

void run_batch_normalisation_forward(const context *c, const batch_normalisation_forward *i) {
  const float *in = AT(const float, c, i->in), *gamma = AT(const float, c, i->gamma), *beta = AT(const float, c, i->beta);
  float *out = AT(float, c, i->out), *mean = AT(float, c, i->mean), *inverse = AT(float, c, i->inverse);
  float *statistics = AT(float, c, i->statistics);
  double *total = AT(double, c, i->scratch), *squares = total + i->channels;
  int channels = i->channels, size = i->rows * channels;
  double count = (double)i->rows * c->m, epsilon = (double)float_of(i->epsilon);
  for (int j = 0; j < channels; j++) total[j] = squares[j] = 0.0;
  for (int b = 0; b < c->m; b++) {
    for (int j = 0; j < channels; j += LANES) {
      lanes sum = splat(0.0f);
      for (const float *x = in + b * size + j; x < in + (b + 1) * size; x += channels) sum += load(x);
      add_to_totals(total + j, sum, channels - j);
    }
  }
  for (int j = 0; j < channels; j++) mean[j] = (float)(total[j] / count);
  for (int b = 0; b < c->m; b++) {
    for (int j = 0; j < channels; j += LANES) {
      lanes sum = splat(0.0f), centre = load(mean + j);
      for (const float *x = in + b * size + j; x < in + (b + 1) * size; x += channels) {
        lanes d = load(x) - centre;
        sum += d * d;
      }
      add_to_totals(squares + j, sum, channels - j);
    }
  }
  for (int j = 0; j < channels; j++) {
    double variance = squares[j] / count;
    inverse[j] = (float)(1.0 / __builtin_sqrt(variance + epsilon));
    statistics[j] = (float)(total[j] / count * c->m);
    statistics[channels + j] = (float)(variance * c->m);
  }
  for (int j = 0; j < channels; j += LANES) {
    lanes centre = load(mean + j), shift = beta ? load(beta + j) : splat(0.0f);
    lanes scale = gamma ? load(inverse + j) * load(gamma + j) : load(inverse + j);
    const float *end = in + c->m * size;
    float *to = out + j;
    for (const float *x = in + j; x < end; x += channels, to += channels) store_some(to, (load(x) - centre) * scale + shift, channels - j);
  }
}

void run_batch_normalisation_evaluation(const context *c, const batch_normalisation_evaluation *i) {
  const float *in = AT(const float, c, i->in), *gamma = AT(const float, c, i->gamma), *beta = AT(const float, c, i->beta);
  const float *mean = AT(const float, c, i->mean), *variance = AT(const float, c, i->variance);
  float *out = AT(float, c, i->out);
  long rows = (long)i->rows * c->m;
  double epsilon = (double)float_of(i->epsilon);
  for (int j = 0; j < i->channels; j++) {
    float inverse = (float)(1.0 / __builtin_sqrt((double)variance[j] + epsilon)), scale = gamma ? inverse * gamma[j] : inverse;
    float shift = beta ? beta[j] : 0.0f;
    for (long n = j; n < rows * i->channels; n += i->channels) out[n] = (in[n] - mean[j]) * scale + shift;
  }
}

void run_batch_normalisation_backward(const context *c, const batch_normalisation_backward *i) {
  const float *in = AT(const float, c, i->in), *gamma = AT(const float, c, i->gamma), *gradient = AT(const float, c, i->gradient);
  const float *mean = AT(const float, c, i->mean), *inverse = AT(const float, c, i->inverse);
  float *to = AT(float, c, i->in_gradient), *gamma_gradient = AT(float, c, i->gamma_gradient), *beta_gradient = AT(float, c, i->beta_gradient);
  double *plain = AT(double, c, i->scratch), *weighted = plain + i->channels;
  int channels = i->channels, size = i->rows * channels;
  double count = (double)i->rows * c->m;
  for (int j = 0; j < channels; j++) plain[j] = weighted[j] = 0.0;
  for (int b = 0; b < c->m; b++) {
    for (int j = 0; j < channels; j += LANES) {
      lanes sum = splat(0.0f), product = splat(0.0f), centre = load(mean + j), scale = load(inverse + j);
      for (int n = b * size + j; n < (b + 1) * size; n += channels) {
        lanes g = load(gradient + n);
        sum += g;
        product += g * ((load(in + n) - centre) * scale);
      }
      add_to_totals(plain + j, sum, channels - j);
      add_to_totals(weighted + j, product, channels - j);
    }
  }
  for (int j = 0; j < channels; j++) {
    if (beta_gradient) beta_gradient[j] = (float)plain[j];
    if (gamma_gradient) gamma_gradient[j] = (float)weighted[j];
  }
  if (!to) return;
  for (int j = 0; j < channels; j += LANES) {
    float sum[LANES], product[LANES];
    for (int l = 0; l < LANES; l++) {
      sum[l] = j + l < channels ? (float)(plain[j + l] / count) : 0.0f;
      product[l] = j + l < channels ? (float)(weighted[j + l] / count) : 0.0f;
    }
    lanes centre = load(mean + j), scale = load(inverse + j), factor = gamma ? scale * load(gamma + j) : scale;
    lanes s = load(sum), p = load(product);
    for (int n = j; n < c->m * size; n += channels) {
      lanes x = (load(in + n) - centre) * scale;
      store_some(to + n, factor * ((load(gradient + n) - s) - x * p), channels - j);
    }
  }
}

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
