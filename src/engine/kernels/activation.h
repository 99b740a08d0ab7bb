#ifndef LOCKSTEP_ACTIVATION_H
#define LOCKSTEP_ACTIVATION_H
#include "maths.h"

// Those that other kernels take along. Their gradients follow from their outputs.
enum activation_kind { LINEAR = 0, RELU = 1, TANH = 2, SIGMOID = 3 };

// A NaN passes through all of them. ReLU asks `x <= 0` and not `x < 0`, since clang 14 makes a maximum of the latter for
// WebAssembly alone, which turns -0 into 0; this way -0 becomes 0 everywhere.
INLINE lanes activate(lanes x, int kind) {
  switch (kind) {
    case RELU: return choose(x <= splat(0.0f), splat(0.0f), x);
    case TANH: return tanh_lanes(x);
    case SIGMOID: return sigmoid_lanes(x);
    default: return x;
  }
}

// Gradient before the activation, from the gradient behind it and the activation's output.
INLINE lanes activation_gradient(lanes out, lanes gradient, int kind) {
  switch (kind) {
    case RELU: return choose(out <= splat(0.0f), splat(0.0f), gradient);
    case TANH: return gradient * (splat(1.0f) - out * out);
    case SIGMOID: return gradient * (out * (splat(1.0f) - out));
    default: return gradient;
  }
}
#endif
