// Activations that no other kernel took along, and all activations backward.
#include "activation.h"
#include "program.h"

INLINE void all_forward(const float *in, float *out, long size, int kind) {
  for (long n = 0; n < size; n += LANES) store_some(out + n, activate(load(in + n), kind), size - n < LANES ? (int)(size - n) : LANES);
}

void run_activation_forward(const context *c, const activation_forward *i) {
  all_forward(AT(const float, c, i->in), AT(float, c, i->out), (long)i->size * c->m, i->kind);
}

INLINE void all_backward(const float *out, float *gradient, long size, int kind) {
  for (long n = 0; n < size; n += LANES) {
    lanes g = activation_gradient(load(out + n), load(gradient + n), kind);
    store_some(gradient + n, g, size - n < LANES ? (int)(size - n) : LANES);
  }
}

void run_activation_backward(const context *c, const activation_backward *i) {
  const float *out = AT(const float, c, i->out);
  float *gradient = AT(float, c, i->gradient);
  long size = (long)i->size * c->m;
  switch (i->kind) {
    case RELU: all_backward(out, gradient, size, RELU); break;
    case TANH: all_backward(out, gradient, size, TANH); break;
    case SIGMOID: all_backward(out, gradient, size, SIGMOID); break;
    default: break;
  }
}
