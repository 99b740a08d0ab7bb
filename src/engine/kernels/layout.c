// Moves numbers and computes nothing but sums of neighbours.
#include "lanes.h"
#include "program.h"

static void copy(float *to, const float *from, int size) {
  int i = 0;
  for (; i + LANES <= size; i += LANES) store(to + i, load(from + i));
  for (; i < size; i++) to[i] = from[i];
}

static void zero(float *to, long size) {
  long i = 0;
  for (; i + LANES <= size; i += LANES) store(to + i, splat(0.0f));
  for (; i < size; i++) to[i] = 0.0f;
}

void run_pack_rows(const context *c, const pack_rows *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  for (int row = 0; row < i->rows; row++) copy(to + row * i->to_stride, from + row * i->columns, i->columns);
}

// Four rows at a time, so that every cache line of the source is read once.
void run_transpose(const context *c, const transpose *i) {
  for (int block = 0; block < i->blocks; block++) {
    const float *from = AT(const float, c, i->from) + block * i->from_block;
    float *to = AT(float, c, i->to) + block * i->to_block;
    int row = 0;
    for (; row + 4 <= i->rows; row += 4) {
      const float *a = from + row * i->from_stride, *b = a + i->from_stride, *d = b + i->from_stride, *e = d + i->from_stride;
      for (int column = 0; column < i->columns; column++) {
        float *out = to + column * i->to_stride + row;
        out[0] = a[column];
        out[1] = b[column];
        out[2] = d[column];
        out[3] = e[column];
      }
    }
    for (; row < i->rows; row++) {
      for (int column = 0; column < i->columns; column++) to[column * i->to_stride + row] = from[row * i->from_stride + column];
    }
  }
}

void run_clear(const context *c, const clear *i) { zero(AT(float, c, i->to), (long)i->size * c->m); }
void run_clear_once(const context *c, const clear_once *i) {
  if (c->first == 0) zero(AT(float, c, i->to), i->size);
}

void run_pad(const context *c, const pad *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  int channels = i->channels, row_size = i->width * channels, to_row_size = i->to_width * channels;
  for (int b = 0; b < c->m; b++) {
    for (int y = 0; y < i->height; y++, from += row_size) {
      float *row = to + (b * i->to_height + i->top + y * i->step_height) * to_row_size + i->left * channels;
      if (i->step_width == 1) copy(row, from, row_size);
      else for (int x = 0; x < i->width; x++) copy(row + x * i->step_width * channels, from + x * channels, channels);
    }
  }
}

void run_unpad(const context *c, const unpad *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  int row_size = i->width * i->channels, from_row_size = i->from_width * i->channels;
  for (int b = 0; b < c->m; b++) {
    for (int y = 0; y < i->height; y++) {
      copy(to + (b * i->height + y) * row_size, from + (b * i->from_height + i->top + y) * from_row_size + i->left * i->channels, row_size);
    }
  }
}

void run_copy_rows(const context *c, const copy_rows *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  long rows = (long)i->rows * c->m;
  for (long row = 0; row < rows; row++) copy(to + row * i->to_stride, from + row * i->from_stride, i->columns);
}

void run_permute(const context *c, const permute *i) {
  int size = i->size_0 * i->size_1 * i->size_2;
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  for (int b = 0; b < c->m; b++, from += size) {
    for (int x = 0; x < i->size_0; x++) {
      for (int y = 0; y < i->size_1; y++) {
        const float *row = from + x * i->stride_0 + y * i->stride_1;
        for (int z = 0; z < i->size_2; z++) *to++ = row[z * i->stride_2];
      }
    }
  }
}

void run_repeat_channels(const context *c, const repeat_channels *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  long size = (long)i->pixels * i->channels * c->m;
  for (long n = 0; n < size; n++) for (int k = 0; k < i->times; k++) *to++ = from[n];
}

void run_sum_channels(const context *c, const sum_channels *i) {
  const float *from = AT(const float, c, i->from);
  float *to = AT(float, c, i->to);
  long size = (long)i->pixels * i->channels * c->m;
  for (long n = 0; n < size; n++, from += i->times) {
    float sum = from[0];
    for (int k = 1; k < i->times; k++) sum += from[k];
    to[n] = sum;
  }
}
