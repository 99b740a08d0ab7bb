// Batch normalisation, with a ReLU behind it where the plan has one. Statistics are taken in two passes, mean before variance.
// Of a channel a sample is summed in float32, vectors across channels, and the samples' sums in float64.
#include "lanes.h"
#include "program.h"

// What a pass over the samples adds up for each channel. SQUARES: of distances from the mean.
enum quantity { VALUES, SQUARES, GRADIENTS };

// What the passes have in common. Vectors of `channels` floats, but for `gradient`, which is shaped as `in`.
typedef struct {
  const float *in, *gradient;
  const float *mean, *inverse;  // of SQUARES the mean alone
  const float *scale, *shift;   // out = (in - mean) * scale + shift
  int rows, channels, rectified;
} batch;

// Vectors of channels at a time: pictures are read row by row, and no addition waits for the one before.
#define CHANNEL_VECTORS 4

// Adds the first lanes of a sample's sum to the channels' totals.
INLINE void add_to_totals(double *total, lanes sum, int count) {
  float part[LANES];
  store(part, sum);
  for (int l = 0; l < LANES && l < count; l++) total[l] += (double)part[l];
}

// The gradient before the ReLU, whose input is computed once more: reading it would take longer.
INLINE lanes rectified_gradient(int rectified, lanes distance, lanes scale, lanes shift, lanes gradient) {
  return rectified ? choose(distance * scale + shift <= splat(0.0f), splat(0.0f), gradient) : gradient;
}

// Sums over the rows of one sample, and of a second one if there is one, of `vectors` vectors of channels from j on.
INLINE void add_samples(const batch *s, int quantity, int vectors, int samples, int b, int j, double *total, double *products) {
  lanes sum[2 * CHANNEL_VECTORS], product[2 * CHANNEL_VECTORS], centre[CHANNEL_VECTORS];
  int channels = s->channels, size = s->rows * channels;
  const float *in = s->in + (long)b * size + j, *gradient = s->gradient + (long)b * size + j;
  UNROLL for (int n = 0; n < 2 * vectors; n++) sum[n] = product[n] = splat(0.0f);
  UNROLL for (int v = 0; v < vectors; v++) centre[v] = quantity == VALUES ? splat(0.0f) : load(s->mean + j + v * LANES);
  int other = samples > 1 ? size : 0; // one sample is summed twice and counted once
  for (int n = 0; n < size; n += channels) {
    UNROLL for (int k = 0; k < 2; k++) {
      if (quantity == GRADIENTS && k > 0) continue; // one at a time
      UNROLL for (int v = 0; v < vectors; v++) {
        int at = n + k * other + v * LANES;
        lanes x = load(in + at);
        if (quantity == SQUARES) x = (x - centre[v]) * (x - centre[v]);
        if (quantity != GRADIENTS) {
          sum[k * vectors + v] += x;
          continue;
        }
        int c = j + v * LANES;
        lanes d = x - centre[v];
        lanes g = rectified_gradient(s->rectified, d, load(s->scale + c), load(s->shift + c), load(gradient + at));
        sum[v] += g;
        product[v] += g * (d * load(s->inverse + c));
      }
    }
  }
  for (int k = 0; k < samples; k++) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int c = j + v * LANES;
      add_to_totals(total + c, sum[k * vectors + v], channels - c);
      if (quantity == GRADIENTS) add_to_totals(products + c, product[v], channels - c);
    }
  }
}

#define PASS(name, quantity, rectified_too, vectors)                                                                     \
  APART void name##_##vectors(const batch *s, int samples, int b, int j, double *total, double *products) {              \
    batch known = *s;                                                                                                    \
    known.rectified = rectified_too;                                                                                     \
    add_samples(&known, quantity, vectors, samples, b, j, total, products);                                              \
  }
#define PASSES(name, quantity, rectified) PASS(name, quantity, rectified, 1) PASS(name, quantity, rectified, 4)
PASSES(values, VALUES, 0)
PASSES(squares, SQUARES, 0)
PASSES(gradients, GRADIENTS, 0)
PASSES(rectified_gradients, GRADIENTS, 1)

// `total` and, of GRADIENTS, `products` begin at 0.
static void totals(const batch *s, int quantity, int m, double *total, double *products) {
#define CHOICE(vectors)                                                                                                  \
  switch (quantity) {                                                                                                    \
    case VALUES: values_##vectors(s, samples, b, j, total, products); break;                                             \
    case SQUARES: squares_##vectors(s, samples, b, j, total, products); break;                                           \
    default:                                                                                                             \
      if (s->rectified) rectified_gradients_##vectors(s, samples, b, j, total, products);                                \
      else gradients_##vectors(s, samples, b, j, total, products);                                                       \
  }
  int at_once = quantity == GRADIENTS ? 1 : 2;
  for (int b = 0; b < m; b += at_once) {
    int j = 0, samples = m - b < at_once ? m - b : at_once;
    for (; j + CHANNEL_VECTORS * LANES <= s->channels; j += CHANNEL_VECTORS * LANES) CHOICE(4)
    for (; j < s->channels; j += LANES) CHOICE(1)
  }
#undef CHOICE
}

// A sample's rows for `vectors` vectors of channels from j on.
INLINE void normalise_rows(const batch *s, int vectors, int rectified, const float *in, float *out, int j) {
  lanes centre[CHANNEL_VECTORS], scale[CHANNEL_VECTORS], shift[CHANNEL_VECTORS];
  UNROLL for (int v = 0; v < vectors; v++) {
    centre[v] = load(s->mean + j + v * LANES);
    scale[v] = load(s->scale + j + v * LANES);
    shift[v] = load(s->shift + j + v * LANES);
  }
  for (int n = j; n < s->rows * s->channels; n += s->channels) {
    UNROLL for (int v = 0; v < vectors; v++) {
      lanes x = (load(in + n + v * LANES) - centre[v]) * scale[v] + shift[v];
      if (rectified) x = choose(x <= splat(0.0f), splat(0.0f), x);
      if (vectors > 1) store(out + n + v * LANES, x);
      else store_some(out + n, x, s->channels - j);
    }
  }
}

APART void normalise_1(const batch *s, const float *in, float *out, int j) { normalise_rows(s, 1, s->rectified, in, out, j); }
APART void normalise_4(const batch *s, const float *in, float *out, int j) { normalise_rows(s, 4, 0, in, out, j); }
APART void normalise_rectified_4(const batch *s, const float *in, float *out, int j) { normalise_rows(s, 4, 1, in, out, j); }

static void normalise(const batch *s, int m, float *out) {
  for (int b = 0; b < m; b++) {
    long at = (long)b * s->rows * s->channels;
    int j = 0;
    for (; j + CHANNEL_VECTORS * LANES <= s->channels; j += CHANNEL_VECTORS * LANES) {
      if (s->rectified) normalise_rectified_4(s, s->in + at, out + at, j);
      else normalise_4(s, s->in + at, out + at, j);
    }
    for (; j < s->channels; j += LANES) normalise_1(s, s->in + at, out + at, j);
  }
}

// in_gradient = scale * ((g - mean of g) - x * mean of g x), where x is the normalised input.
INLINE void gradient_rows(const batch *s, int vectors, int rectified, const float *in, const float *gradient, float *to,
                          const float *mean_gradient, const float *mean_product, int j) {
  for (int n = j; n < s->rows * s->channels; n += s->channels) {
    UNROLL for (int v = 0; v < vectors; v++) {
      int c = j + v * LANES, at = n + v * LANES;
      lanes d = load(in + at) - load(s->mean + c), scale = load(s->scale + c);
      lanes g = rectified_gradient(rectified, d, scale, load(s->shift + c), load(gradient + at));
      lanes result = scale * ((g - load(mean_gradient + c)) - d * load(s->inverse + c) * load(mean_product + c));
      if (vectors > 1) store(to + at, result);
      else store_some(to + at, result, s->channels - c);
    }
  }
}

APART void gradient_1(const batch *s, const float *in, const float *gradient, float *to, const float *a, const float *b, int j) {
  gradient_rows(s, 1, s->rectified, in, gradient, to, a, b, j);
}
APART void gradient_4(const batch *s, const float *in, const float *gradient, float *to, const float *a, const float *b, int j) {
  gradient_rows(s, 4, 0, in, gradient, to, a, b, j);
}
APART void gradient_rectified_4(const batch *s, const float *in, const float *gradient, float *to, const float *a, const float *b, int j) {
  gradient_rows(s, 4, 1, in, gradient, to, a, b, j);
}

static void in_gradient(const batch *s, int m, float *to, const float *mean_gradient, const float *mean_product) {
  for (int b = 0; b < m; b++) {
    long at = (long)b * s->rows * s->channels;
    const float *in = s->in + at, *gradient = s->gradient + at;
    int j = 0;
    for (; j + CHANNEL_VECTORS * LANES <= s->channels; j += CHANNEL_VECTORS * LANES) {
      if (s->rectified) gradient_rectified_4(s, in, gradient, to + at, mean_gradient, mean_product, j);
      else gradient_4(s, in, gradient, to + at, mean_gradient, mean_product, j);
    }
    for (; j < s->channels; j += LANES) gradient_1(s, in, gradient, to + at, mean_gradient, mean_product, j);
  }
}

static void set_scale_and_shift(int channels, const float *inverse, const float *gamma, const float *beta, float *scale, float *shift) {
  for (int j = 0; j < channels; j++) {
    scale[j] = gamma ? inverse[j] * gamma[j] : inverse[j];
    shift[j] = beta ? beta[j] : 0.0f;
  }
}

void run_batch_normalisation_forward(const context *c, const batch_normalisation_forward *i) {
  float *mean = AT(float, c, i->mean), *inverse = AT(float, c, i->inverse), *statistics = AT(float, c, i->statistics);
  int channels = i->channels;
  double *total = AT(double, c, i->scratch), *squares = total + channels;
  float *scale = (float *)(squares + channels), *shift = scale + channels;
  batch s = {AT(const float, c, i->in), 0, mean, inverse, scale, shift, i->rows, channels, i->rectified};
  double count = (double)i->rows * c->m, epsilon = (double)float_of(i->epsilon);
  for (int j = 0; j < channels; j++) total[j] = squares[j] = 0.0;
  totals(&s, VALUES, c->m, total, 0);
  for (int j = 0; j < channels; j++) mean[j] = (float)(total[j] / count);
  totals(&s, SQUARES, c->m, squares, 0);
  for (int j = 0; j < channels; j++) {
    double variance = squares[j] / count;
    inverse[j] = (float)(1.0 / __builtin_sqrt(variance + epsilon));
    statistics[j] = (float)(total[j] / count * c->m);
    statistics[channels + j] = (float)(variance * c->m);
  }
  set_scale_and_shift(channels, inverse, AT(const float, c, i->gamma), AT(const float, c, i->beta), scale, shift);
  normalise(&s, c->m, AT(float, c, i->out));
}

void run_batch_normalisation_evaluation(const context *c, const batch_normalisation_evaluation *i) {
  const float *variance = AT(const float, c, i->variance);
  int channels = i->channels;
  float *mean = AT(float, c, i->scratch), *inverse = mean + channels, *scale = inverse + channels, *shift = scale + channels;
  double epsilon = (double)float_of(i->epsilon);
  for (int j = 0; j < channels; j++) {
    mean[j] = AT(const float, c, i->mean)[j]; // where a vector may run past its end
    inverse[j] = (float)(1.0 / __builtin_sqrt((double)variance[j] + epsilon));
  }
  set_scale_and_shift(channels, inverse, AT(const float, c, i->gamma), AT(const float, c, i->beta), scale, shift);
  batch s = {AT(const float, c, i->in), 0, mean, inverse, scale, shift, i->rows, channels, i->rectified};
  normalise(&s, c->m, AT(float, c, i->out));
}

void run_batch_normalisation_backward(const context *c, const batch_normalisation_backward *i) {
  const float *mean = AT(const float, c, i->mean), *inverse = AT(const float, c, i->inverse);
  float *to = AT(float, c, i->in_gradient), *gamma_gradient = AT(float, c, i->gamma_gradient), *beta_gradient = AT(float, c, i->beta_gradient);
  int channels = i->channels;
  double *plain = AT(double, c, i->scratch), *weighted = plain + channels;
  float *scale = (float *)(weighted + channels), *shift = scale + channels, *mean_gradient = shift + channels;
  float *mean_product = mean_gradient + channels;
  double count = (double)i->rows * c->m;
  set_scale_and_shift(channels, inverse, AT(const float, c, i->gamma), AT(const float, c, i->beta), scale, shift);
  batch s = {AT(const float, c, i->in), AT(const float, c, i->gradient), mean, inverse, scale, shift, i->rows, channels, i->rectified};
  for (int j = 0; j < channels; j++) plain[j] = weighted[j] = 0.0;
  totals(&s, GRADIENTS, c->m, plain, weighted);
  for (int j = 0; j < channels; j++) {
    if (beta_gradient) beta_gradient[j] = (float)plain[j];
    if (gamma_gradient) gamma_gradient[j] = (float)weighted[j];
    mean_gradient[j] = (float)(plain[j] / count);
    mean_product[j] = (float)(weighted[j] / count);
  }
  if (to) in_gradient(&s, c->m, to, mean_gradient, mean_product);
}
