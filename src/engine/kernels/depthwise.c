// Depthwise convolution: vectors run across channels, and a sum over the elements of the kernel, row by row.
#include "activation.h"
#include "program.h"

void run_depthwise_forward(const context *c, const depthwise_forward *i) {
  const float *in = AT(const float, c, i->in), *w = AT(const float, c, i->weights), *bias = AT(const float, c, i->bias);
  float *out = AT(float, c, i->out);
  int channels = i->channels, down = i->dilation_height * i->width * channels, right = i->dilation_width * channels;
  for (int b = 0; b < c->m; b++, in += i->height * i->width * channels) {
    for (int y = 0; y < i->out_height; y++) {
      const float *row = in + y * i->stride_height * i->width * channels;
      for (int x = 0; x < i->out_width; x++, row += i->stride_width * channels, out += channels) {
        for (int j = 0; j < channels; j += LANES) {
          lanes sum = splat(0.0f);
          const float *weight = w + j;
          for (int v = 0; v < i->kernel_height; v++) {
            for (int u = 0; u < i->kernel_width; u++, weight += channels) sum += load(row + v * down + u * right + j) * load(weight);
          }
          store_some(out + j, activate(bias ? sum + load(bias + j) : sum, i->activation), channels - j);
        }
      }
    }
  }
}

// Sum over all pixels of the block, ascending, for one element of the kernel.
INLINE lanes element_gradient(const context *c, const depthwise_backward *i, lanes sum, const float *in, const float *gradient) {
  for (int b = 0; b < c->m; b++, in += i->height * i->width * i->channels) {
    for (int y = 0; y < i->out_height; y++) {
      const float *row = in + y * i->stride_height * i->width * i->channels;
      for (int x = 0; x < i->out_width; x++, gradient += i->channels) sum += load(row + x * i->stride_width * i->channels) * load(gradient);
    }
  }
  return sum;
}

INLINE void to_input(const context *c, const depthwise_backward *i, const float *w, const float *gradient, float *in_gradient) {
  int channels = i->channels, down = i->dilation_height * i->width * channels, right = i->dilation_width * channels;
  for (int b = 0; b < c->m; b++, in_gradient += i->height * i->width * channels) {
    for (int y = 0; y < i->out_height; y++) {
      float *row = in_gradient + y * i->stride_height * i->width * channels;
      for (int x = 0; x < i->out_width; x++, row += i->stride_width * channels, gradient += channels) {
        for (int j = 0; j < channels; j += LANES) {
          lanes g = load(gradient + j);
          const float *weight = w + j;
          for (int v = 0; v < i->kernel_height; v++) {
            for (int u = 0; u < i->kernel_width; u++, weight += channels) {
              float *at = row + v * down + u * right + j;
              store_some(at, load(at) + g * load(weight), channels - j);
            }
          }
        }
      }
    }
  }
}

void run_depthwise_backward(const context *c, const depthwise_backward *i) {
  const float *in = AT(const float, c, i->in), *gradient = AT(const float, c, i->gradient);
  float *to = AT(float, c, i->weight_gradient), *in_gradient = AT(float, c, i->in_gradient);
  int channels = i->channels;
  for (int v = 0; v < i->kernel_height; v++) {
    for (int u = 0; u < i->kernel_width; u++, to += channels) {
      const float *element = in + (v * i->dilation_height * i->width + u * i->dilation_width) * channels;
      for (int j = 0; j < channels; j += LANES) {
        lanes sum = c->first == 0 ? splat(0.0f) : load(to + j);
        store_some(to + j, element_gradient(c, i, sum, element + j, gradient + j), channels - j);
      }
    }
  }
  if (in_gradient) to_input(c, i, AT(const float, c, i->weights), gradient, in_gradient);
}
