// Activations that no other kernel took along, and all activations backward.
#include "activation.h"
#include "program.h"

// As `activationKinds` in src/engine/plan/activation.ts. The gradients of these follow from their inputs.
enum more_kinds {
  ELU = 4,
  SELU = 5,
  SOFTPLUS = 6,
  SOFTSIGN = 7,
  HARD_SIGMOID = 8,
  CLIPPED_RELU = 9,
  LEAKY_RELU = 10,
  THRESHOLDED_RELU = 11,
  SWISH = 12,
  MISH = 13,
  GELU = 14,
  GELU_NEW = 15
};

// Klambauer et al. 2017.
#define SELU_ALPHA 1.6732632423543772f
#define SELU_SCALE 1.0507009873554805f
// sqrt(2 / pi), and the density of the normal distribution at 0.
#define GELU_FACTOR 0.7978845608028654f
#define DENSITY 0.3989422804014327f

INLINE lanes magnitude(lanes x) { return (lanes)((int_lanes)x & splat_int(0x7FFFFFFF)); }
INLINE lanes positive_or(lanes x, lanes value, lanes otherwise) { return choose(x <= splat(0.0f), otherwise, value); }

// tanh(softplus(x)) = n / (n + 2) with n = e^x (e^x + 2); 1 from x = 20 on.
INLINE lanes tanh_of_softplus(lanes x) {
  lanes e = exp_lanes(choose(x > splat(20.0f), splat(20.0f), x)), n = e * (e + splat(2.0f));
  return n / (n + splat(2.0f));
}

// The distribution function of the normal distribution.
INLINE lanes normal_share(lanes x) { return splat(0.5f) * (splat(1.0f) + erf_lanes(x * splat(0.7071067811865476f))); }

INLINE lanes gelu_tanh(lanes x) { return tanh_lanes(splat(GELU_FACTOR) * (x + splat(0.044715f) * (x * x * x))); }

INLINE lanes one(lanes x, int kind, float parameter) {
  lanes zero = splat(0.0f), unit = splat(1.0f), p = splat(parameter);
  switch (kind) {
    case ELU: return positive_or(x, x, p * exp_minus_1_of_negative_lanes(x));
    case SELU: return positive_or(x, splat(SELU_SCALE) * x, splat(SELU_SCALE * SELU_ALPHA) * exp_minus_1_of_negative_lanes(x));
    case SOFTPLUS: return softplus_lanes(x);
    case SOFTSIGN: return x / (unit + magnitude(x));
    case HARD_SIGMOID: {
      lanes y = splat(0.2f) * x + splat(0.5f);
      return choose(y <= zero, zero, choose(y >= unit, unit, y));
    }
    case CLIPPED_RELU: return choose(x <= zero, zero, choose(x >= p, p, x));
    case LEAKY_RELU: return positive_or(x, x, p * x);
    case THRESHOLDED_RELU: return choose(x <= p, zero, x);
    case SWISH: return x * sigmoid_lanes(x);
    case MISH: return x * tanh_of_softplus(x);
    case GELU: return x * normal_share(x);
    case GELU_NEW: return splat(0.5f) * x * (unit + gelu_tanh(x));
    default: return activate(x, kind);
  }
}

INLINE lanes slope(lanes x, int kind, float parameter) {
  lanes zero = splat(0.0f), unit = splat(1.0f), p = splat(parameter);
  switch (kind) {
    case ELU: return positive_or(x, unit, p * (exp_minus_1_of_negative_lanes(x) + unit));
    case SELU: return positive_or(x, splat(SELU_SCALE), splat(SELU_SCALE * SELU_ALPHA) * (exp_minus_1_of_negative_lanes(x) + unit));
    case SOFTPLUS: return sigmoid_lanes(x);
    case SOFTSIGN: {
      lanes d = unit + magnitude(x);
      return unit / (d * d);
    }
    case HARD_SIGMOID: return choose(magnitude(x) > splat(2.5f), zero, splat(0.2f));
    case CLIPPED_RELU: return choose((x <= zero) | (x > p), zero, unit);
    case LEAKY_RELU: return positive_or(x, unit, p);
    case THRESHOLDED_RELU: return choose(x <= p, zero, unit);
    case SWISH: {
      lanes s = sigmoid_lanes(x);
      return s + x * s * (unit - s);
    }
    case MISH: {
      lanes t = tanh_of_softplus(x);
      return t + x * (unit - t * t) * sigmoid_lanes(x);
    }
    case GELU: return normal_share(x) + x * (splat(DENSITY) * exp_lanes(splat(-0.5f) * (x * x)));
    case GELU_NEW: {
      lanes t = gelu_tanh(x), inner = splat(GELU_FACTOR) * (unit + splat(0.134145f) * (x * x));
      return splat(0.5f) * ((unit + t) + x * (unit - t * t) * inner);
    }
    default: return unit;
  }
}

#define FOR_MORE_KINDS(X)                                                                                                \
  X(ELU) X(SELU) X(SOFTPLUS) X(SOFTSIGN) X(HARD_SIGMOID) X(CLIPPED_RELU) X(LEAKY_RELU) X(THRESHOLDED_RELU) X(SWISH)      \
  X(MISH) X(GELU) X(GELU_NEW)
#define FOR_KINDS(X) X(LINEAR) X(RELU) X(TANH) X(SIGMOID) FOR_MORE_KINDS(X)

INLINE void all_forward(const float *in, float *out, long size, int kind, float parameter) {
  for (long n = 0; n < size; n += LANES) {
    store_some(out + n, one(load(in + n), kind, parameter), size - n < LANES ? (int)(size - n) : LANES);
  }
}

#define FORWARD(kind) case kind: return all_forward(in, out, size, kind, parameter);

void run_activation_forward(const context *c, const activation_forward *i) {
  const float *in = AT(const float, c, i->in);
  float *out = AT(float, c, i->out), parameter = float_of(i->parameter);
  long size = (long)i->size * c->m;
  switch (i->kind) { FOR_KINDS(FORWARD) }
}

// By the output for the kinds that other kernels take along, whose inputs nobody keeps.
INLINE void all_backward(const float *from, float *gradient, long size, int kind, float parameter) {
  for (long n = 0; n < size; n += LANES) {
    lanes x = load(from + n), g = load(gradient + n);
    g = kind <= SIGMOID ? activation_gradient(x, g, kind) : g * slope(x, kind, parameter);
    store_some(gradient + n, g, size - n < LANES ? (int)(size - n) : LANES);
  }
}

#define BACKWARD_OUT(kind) case kind: return all_backward(out, gradient, size, kind, parameter);
#define BACKWARD_IN(kind) case kind: return all_backward(in, gradient, size, kind, parameter);

void run_activation_backward(const context *c, const activation_backward *i) {
  const float *in = AT(const float, c, i->in), *out = AT(const float, c, i->out);
  float *gradient = AT(float, c, i->gradient), parameter = float_of(i->parameter);
  long size = (long)i->size * c->m;
  switch (i->kind) {
    BACKWARD_OUT(RELU)
    BACKWARD_OUT(TANH)
    BACKWARD_OUT(SIGMOID)
    FOR_MORE_KINDS(BACKWARD_IN)
    default: break;
  }
}

void run_prelu_forward(const context *c, const prelu_forward *i) {
  const float *in = AT(const float, c, i->in), *slopes = AT(const float, c, i->slopes);
  float *out = AT(float, c, i->out);
  long rows = (long)i->rows * c->m;
  for (long row = 0; row < rows; row++, in += i->columns, out += i->columns) {
    for (int j = 0; j < i->columns; j += LANES) {
      lanes x = load(in + j);
      store_some(out + j, positive_or(x, x, load(slopes + j) * x), i->columns - j);
    }
  }
}

void run_prelu_backward(const context *c, const prelu_backward *i) {
  const float *in = AT(const float, c, i->in), *slopes = AT(const float, c, i->slopes);
  float *gradient = AT(float, c, i->gradient), *to = AT(float, c, i->slope_gradient);
  long rows = (long)i->rows * c->m;
  for (int j = 0; j < i->columns; j += LANES) {
    lanes sum = c->first == 0 ? splat(0.0f) : load(to + j);
    for (long row = 0; row < rows; row++) {
      lanes x = load(in + row * i->columns + j), g = load(gradient + row * i->columns + j);
      sum += positive_or(x, splat(0.0f), g * x);
      store_some(gradient + row * i->columns + j, positive_or(x, g, g * load(slopes + j)), i->columns - j);
    }
    store_some(to + j, sum, i->columns - j);
  }
}
