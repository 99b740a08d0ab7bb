// Max pooling of any window. The winner is the first largest element in row order; a NaN wins over everything before it.
#include "lanes.h"
#include "program.h"

static void pool_window(const max_pool_forward *i, int y0, int x0, const float *in, float *out, int32_t *offsets) {
  int y1 = y0 + i->window_height, x1 = x0 + i->window_width;
  if (y0 < 0) y0 = 0;
  if (x0 < 0) x0 = 0;
  if (y1 > i->height) y1 = i->height;
  if (x1 > i->width) x1 = i->width;
  for (int j = 0; j < i->channels; j += LANES) {
    int first = (y0 * i->width + x0) * i->channels;
    lanes largest = load(in + first + j);
    int_lanes winner = splat_int(first);
    for (int y = y0; y < y1; y++) {
      for (int x = x0; x < x1; x++) {
        int place = (y * i->width + x) * i->channels;
        lanes t = load(in + place + j);
        int_lanes takes = (t > largest) | (t != t);
        largest = choose(takes, t, largest);
        winner = choose_int(takes, splat_int(place), winner);
      }
    }
    store_some(out + j, largest, i->channels - j);
    store_some_int(offsets + j, winner, i->channels - j);
  }
}

void run_max_pool_forward(const context *c, const max_pool_forward *i) {
  int in_size = i->height * i->width * i->channels, cell = 0;
  for (int b = 0; b < c->m; b++) {
    for (int y = 0; y < i->out_height; y++) {
      for (int x = 0; x < i->out_width; x++, cell += i->channels) {
        pool_window(i, y * i->stride_height - i->top, x * i->stride_width - i->left, AT(const float, c, i->in) + b * in_size,
                    AT(float, c, i->out) + cell, AT(int32_t, c, i->offsets) + cell);
      }
    }
  }
  // What was kept is the offset of channel 0, since a vector holds many channels; backward wants each channel's own.
  int32_t *offsets = AT(int32_t, c, i->offsets);
  for (int n = 0; n < cell; n += i->channels) for (int j = 0; j < i->channels; j++) offsets[n + j] += j;
}

void run_max_pool_backward(const context *c, const max_pool_backward *i) {
  for (int b = 0; b < c->m; b++) {
    const float *gradient = AT(const float, c, i->gradient) + b * i->out_size;
    const int32_t *offsets = AT(const int32_t, c, i->offsets) + b * i->out_size;
    float *to = AT(float, c, i->in_gradient) + b * i->in_size;
    for (int n = 0; n < i->out_size; n++) to[offsets[n]] += gradient[n];
  }
}
