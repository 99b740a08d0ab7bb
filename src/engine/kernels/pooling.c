// Pooling of any window. In max pooling the winner is the first largest element in row order; a NaN wins over everything before it.
#include "lanes.h"
#include "program.h"

static void pool_window(const max_pool_forward *i, int y0, int x0, const float *in, float *out, int32_t *offsets) {
  int y1 = y0 + i->window_height, x1 = x0 + i->window_width;
  if (y0 < 0) y0 = 0;
  if (x0 < 0) x0 = 0;
  if (y1 > i->height) y1 = i->height;
  if (x1 > i->width) x1 = i->width;
  for (int j = 0; j < i->channels; j += LANES) {
    const int_lanes channel = LANE_NUMBERS;
    int first = (y0 * i->width + x0) * i->channels + j;
    lanes largest = load(in + first);
    int_lanes winner = splat_int(first);
    for (int y = y0; y < y1; y++) {
      for (int x = x0; x < x1; x++) {
        int place = (y * i->width + x) * i->channels + j;
        lanes t = load(in + place);
        int_lanes takes = (t > largest) | (t != t);
        largest = choose(takes, t, largest);
        winner = choose_int(takes, splat_int(place), winner);
      }
    }
    store_some(out + j, largest, i->channels - j);
    store_some_int(offsets + j, winner + channel, i->channels - j);
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
}

void run_max_pool_backward(const context *c, const max_pool_backward *i) {
  for (int b = 0; b < c->m; b++) {
    const float *gradient = AT(const float, c, i->gradient) + b * i->out_size;
    const int32_t *offsets = AT(const int32_t, c, i->offsets) + b * i->out_size;
    float *to = AT(float, c, i->in_gradient) + b * i->in_size;
    for (int n = 0; n < i->out_size; n++) to[offsets[n]] += gradient[n];
  }
}

// The part of a window that lies in the picture: rows y0..y1-1, columns x0..x1-1.
typedef struct { int y0, y1, x0, x1; } window;

INLINE window window_at(int y, int height, int size_y, int x, int width, int size_x) {
  return (window){y < 0 ? 0 : y, y + size_y > height ? height : y + size_y, x < 0 ? 0 : x, x + size_x > width ? width : x + size_x};
}

void run_average_pool_forward(const context *c, const average_pool_forward *i) {
  const float *in = AT(const float, c, i->in);
  float *out = AT(float, c, i->out);
  for (int b = 0; b < c->m; b++, in += i->height * i->width * i->channels) {
    for (int y = 0; y < i->out_height; y++) {
      for (int x = 0; x < i->out_width; x++, out += i->channels) {
        window w = window_at(y * i->stride_height - i->top, i->height, i->window_height, x * i->stride_width - i->left, i->width, i->window_width);
        lanes count = splat((float)((w.y1 - w.y0) * (w.x1 - w.x0)));
        for (int j = 0; j < i->channels; j += LANES) {
          lanes sum = splat(0.0f);
          for (int v = w.y0; v < w.y1; v++) for (int u = w.x0; u < w.x1; u++) sum += load(in + (v * i->width + u) * i->channels + j);
          store_some(out + j, sum / count, i->channels - j);
        }
      }
    }
  }
}

void run_average_pool_backward(const context *c, const average_pool_backward *i) {
  const float *gradient = AT(const float, c, i->gradient);
  float *to = AT(float, c, i->in_gradient);
  for (int b = 0; b < c->m; b++, to += i->height * i->width * i->channels) {
    for (int y = 0; y < i->out_height; y++) {
      for (int x = 0; x < i->out_width; x++, gradient += i->channels) {
        window w = window_at(y * i->stride_height - i->top, i->height, i->window_height, x * i->stride_width - i->left, i->width, i->window_width);
        lanes count = splat((float)((w.y1 - w.y0) * (w.x1 - w.x0)));
        for (int j = 0; j < i->channels; j += LANES) {
          lanes part = load(gradient + j) / count;
          for (int v = w.y0; v < w.y1; v++) {
            for (int u = w.x0; u < w.x1; u++) {
              float *at = to + (v * i->width + u) * i->channels + j;
              store_some(at, load(at) + part, i->channels - j);
            }
          }
        }
      }
    }
  }
}
