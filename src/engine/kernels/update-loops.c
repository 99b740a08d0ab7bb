// The loops of the update rules, as src/optim/rules has them: the same operations in the same order, in float64, and each value
// that is stored is rounded once. A test compares the bits. `to` may be `from`: an element is read before it is written.
#include "lanes.h"
#include "program.h"

// No element depends on another one, so that they may be done side by side.
#ifdef __clang__
#define SIDE_BY_SIDE _Pragma("clang loop vectorize(assume_safety)")
#else
#define SIDE_BY_SIDE _Pragma("GCC ivdep")
#endif
#define EACH SIDE_BY_SIDE for (int i = begin; i < end; i++)

// The vectors of a call: weights, gradient and slots, before and after.
typedef struct {
  const float *w, *gradient, *slot[LOOP_SLOTS];
  float *w_next, *slot_next[LOOP_SLOTS];
} vectors;

// Element i goes to partial sum i mod 16; the partial sums are added in a fixed tree, neighbours first.
#define PARTIAL_SUMS 16

static double sum_of_partials(double *partial) {
  for (int width = 1; width < PARTIAL_SUMS; width *= 2) {
    for (int n = 0; n < PARTIAL_SUMS; n += 2 * width) partial[n] += partial[n + width];
  }
  return partial[0];
}

static double sum_of_squares(const float *values, int size, double scale) {
  double partial[PARTIAL_SUMS] = {0};
  int i = 0;
  for (; i + PARTIAL_SUMS <= size; i += PARTIAL_SUMS) {
    UNROLL for (int n = 0; n < PARTIAL_SUMS; n++) {
      double value = (double)values[i + n] * scale;
      partial[n] += value * value;
    }
  }
  for (int n = 0; i < size; i++, n++) {
    double value = (double)values[i] * scale;
    partial[n] += value * value;
  }
  return sum_of_partials(partial);
}

static double square_root(double x) { return __builtin_sqrt(x); }

typedef struct { double scale, learning_rate, weight_decay; } sgd_numbers;

static void loop_sgd(const vectors *v, const sgd_numbers *n, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient;
  float *w_next = v->w_next;
  double scale = n->scale, learning_rate = n->learning_rate, weight_decay = n->weight_decay;
  EACH {
    double weight = (double)w[i];
    w_next[i] = (float)(weight - learning_rate * ((double)gradient[i] * scale + weight_decay * weight));
  }
}

typedef struct { double scale, learning_rate, momentum, gradient_share, buffer_share, weight_decay; } momentum_numbers;

static void loop_momentum(const vectors *v, const momentum_numbers *numbers, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *b = v->slot[0];
  float *w_next = v->w_next, *b_next = v->slot_next[0];
  momentum_numbers n = *numbers;
  EACH {
    double weight = (double)w[i], g = (double)gradient[i] * n.scale + n.weight_decay * weight;
    double buffer = n.momentum * (double)b[i] + g;
    b_next[i] = (float)buffer;
    w_next[i] = (float)(weight - n.learning_rate * (n.gradient_share * g + n.buffer_share * buffer));
  }
}

typedef struct {
  double scale, step_size, root_correction, kept, beta_1, rest_1, beta_2, rest_2, epsilon, l2, amsgrad;
} adam_numbers;

INLINE void adam_loop(const vectors *v, const adam_numbers *numbers, int amsgrad, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *m = v->slot[0], *s = v->slot[1], *largest = v->slot[2];
  float *w_next = v->w_next, *m_next = v->slot_next[0], *s_next = v->slot_next[1], *largest_next = v->slot_next[2];
  adam_numbers n = *numbers;
  EACH {
    double weight = (double)w[i], g = (double)gradient[i] * n.scale + n.l2 * weight;
    double mean = n.beta_1 * (double)m[i] + n.rest_1 * g;
    double square = n.beta_2 * (double)s[i] + n.rest_2 * g * g;
    m_next[i] = (float)mean;
    s_next[i] = (float)square;
    if (amsgrad) {
      double before = (double)largest[i];
      square = before > square ? before : square; // a NaN square stays
      largest_next[i] = (float)square;
    }
    w_next[i] = (float)(weight * n.kept - (n.step_size * mean) / (square_root(square) / n.root_correction + n.epsilon));
  }
}

static void loop_adam(const vectors *v, const adam_numbers *n, int begin, int end) {
  if (n->amsgrad != 0.0) adam_loop(v, n, 1, begin, end);
  else adam_loop(v, n, 0, begin, end);
}

// momentum_slot 0: without momentum.
typedef struct { double scale, learning_rate, rho, rest, epsilon, momentum, weight_decay, centered, momentum_slot; } rmsprop_numbers;

INLINE void rmsprop_loop(const vectors *v, const rmsprop_numbers *numbers, int centered, int momentum_slot, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *s = v->slot[0], *m = v->slot[1], *b = v->slot[momentum_slot];
  float *w_next = v->w_next, *s_next = v->slot_next[0], *m_next = v->slot_next[1], *b_next = v->slot_next[momentum_slot];
  rmsprop_numbers n = *numbers;
  EACH {
    double weight = (double)w[i], g = (double)gradient[i] * n.scale + n.weight_decay * weight;
    double square = n.rho * (double)s[i] + n.rest * g * g;
    s_next[i] = (float)square;
    if (centered) {
      double mean = n.rho * (double)m[i] + n.rest * g;
      m_next[i] = (float)mean;
      square -= mean * mean;
      square = square < 0.0 ? 0.0 : square; // rounding can make it negative; a NaN stays
    }
    double move = g / (square_root(square) + n.epsilon);
    if (momentum_slot > 0) {
      move += n.momentum * (double)b[i];
      b_next[i] = (float)move;
    }
    w_next[i] = (float)(weight - n.learning_rate * move);
  }
}

static void loop_rmsprop(const vectors *v, const rmsprop_numbers *n, int begin, int end) {
  if (n->centered != 0.0 && n->momentum_slot != 0.0) rmsprop_loop(v, n, 1, 2, begin, end);
  else if (n->centered != 0.0) rmsprop_loop(v, n, 1, 0, begin, end);
  else if (n->momentum_slot != 0.0) rmsprop_loop(v, n, 0, 1, begin, end);
  else rmsprop_loop(v, n, 0, 0, begin, end);
}

typedef struct { double scale, learning_rate, epsilon, weight_decay; } adagrad_numbers;

static void loop_adagrad(const vectors *v, const adagrad_numbers *numbers, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *a = v->slot[0];
  float *w_next = v->w_next, *a_next = v->slot_next[0];
  adagrad_numbers n = *numbers;
  EACH {
    double weight = (double)w[i], g = (double)gradient[i] * n.scale + n.weight_decay * weight;
    double square_sum = (double)a[i] + g * g;
    a_next[i] = (float)square_sum;
    w_next[i] = (float)(weight - (n.learning_rate * g) / (square_root(square_sum) + n.epsilon));
  }
}

typedef struct { double scale, learning_rate, rho, rest, epsilon, weight_decay; } adadelta_numbers;

static void loop_adadelta(const vectors *v, const adadelta_numbers *numbers, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *e = v->slot[0], *u = v->slot[1];
  float *w_next = v->w_next, *e_next = v->slot_next[0], *u_next = v->slot_next[1];
  adadelta_numbers n = *numbers;
  EACH {
    double weight = (double)w[i], g = (double)gradient[i] * n.scale + n.weight_decay * weight;
    double square = n.rho * (double)e[i] + n.rest * g * g, square_update = (double)u[i];
    double delta = square_root(square_update + n.epsilon) / square_root(square + n.epsilon) * g;
    e_next[i] = (float)square;
    u_next[i] = (float)(n.rho * square_update + n.rest * delta * delta);
    w_next[i] = (float)(weight - n.learning_rate * delta);
  }
}

typedef struct { double scale, eta_minus, eta_plus, step_min, step_max; } rprop_numbers;

static void loop_rprop(const vectors *v, const rprop_numbers *numbers, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *previous = v->slot[0], *steps = v->slot[1];
  float *w_next = v->w_next, *previous_next = v->slot_next[0], *steps_next = v->slot_next[1];
  rprop_numbers n = *numbers;
  EACH {
    double g = (double)gradient[i] * n.scale, agreement = g * (double)previous[i], step = (double)steps[i];
    step = agreement > 0.0 ? step * n.eta_plus : agreement < 0.0 ? step * n.eta_minus : step;
    g = agreement < 0.0 ? 0.0 : g;
    step = step < n.step_min ? n.step_min : step > n.step_max ? n.step_max : step;
    double direction = g > 0.0 ? 1.0 : g < 0.0 ? -1.0 : g; // 0 stays 0, NaN stays NaN
    previous_next[i] = (float)g;
    steps_next[i] = (float)step;
    w_next[i] = (float)((double)w[i] - direction * step);
  }
}

typedef struct {
  double scale, learning_rate, momentum, trust, decay, tensor_begin, tensor_end, is_scaled;
} lars_numbers;

static void loop_lars(const vectors *v, const lars_numbers *numbers, int begin, int end) {
  const float *w = v->w, *gradient = v->gradient, *b = v->slot[0];
  float *w_next = v->w_next, *b_next = v->slot_next[0];
  lars_numbers n = *numbers;
  int first = (int)n.tensor_begin, size = (int)n.tensor_end - first;
  double weight_norm = square_root(sum_of_squares(w + first, size, 1.0));
  double gradient_norm = square_root(sum_of_squares(gradient + first, size, n.scale));
  int has_ratio = n.is_scaled != 0.0 && weight_norm > 0.0 && gradient_norm > 0.0;
  double local = has_ratio ? (n.trust * weight_norm) / (gradient_norm + n.decay * weight_norm) : 1.0;
  EACH {
    double weight = (double)w[i];
    double buffer = n.momentum * (double)b[i] + n.learning_rate * local * ((double)gradient[i] * n.scale + n.decay * weight);
    b_next[i] = (float)buffer;
    w_next[i] = (float)(weight - buffer);
  }
}

typedef struct {
  double scale, learning_rate, beta_1, beta_2, rest_1, rest_2, correction_1, correction_2, epsilon, decay, tensor_begin, tensor_end;
  double is_scaled;
} lamb_numbers;

INLINE double lamb_step(const vectors *v, const lamb_numbers *n, int i) {
  double g = (double)v->gradient[i] * n->scale;
  double mean = n->beta_1 * (double)v->slot[0][i] + n->rest_1 * g;
  double square = n->beta_2 * (double)v->slot[1][i] + n->rest_2 * g * g;
  return mean / n->correction_1 / (square_root(square / n->correction_2) + n->epsilon) + n->decay * (double)v->w[i];
}

// |w| / |r| over a tensor.
static double lamb_ratio(const vectors *v, const lamb_numbers *n, int begin, int end) {
  double partial[PARTIAL_SUMS] = {0};
  for (int i = begin; i < end; i++) {
    double step = lamb_step(v, n, i);
    partial[(i - begin) % PARTIAL_SUMS] += step * step;
  }
  double weight_norm = square_root(sum_of_squares(v->w + begin, end - begin, 1.0)), step_norm = square_root(sum_of_partials(partial));
  return weight_norm > 0.0 && step_norm > 0.0 ? weight_norm / step_norm : 1.0;
}

static void loop_lamb(const vectors *v, const lamb_numbers *numbers, int begin, int end) {
  vectors known = *v;
  lamb_numbers n = *numbers;
  float *w_next = v->w_next, *m_next = v->slot_next[0], *s_next = v->slot_next[1];
  double ratio = n.is_scaled != 0.0 ? lamb_ratio(&known, &n, (int)n.tensor_begin, (int)n.tensor_end) : 1.0;
  EACH {
    double g = (double)known.gradient[i] * n.scale, m = (double)known.slot[0][i], s = (double)known.slot[1][i];
    double moved = (double)known.w[i] - n.learning_rate * ratio * lamb_step(&known, &n, i);
    w_next[i] = (float)moved;
    m_next[i] = (float)(n.beta_1 * m + n.rest_1 * g);
    s_next[i] = (float)(n.beta_2 * s + n.rest_2 * g * g);
  }
}

#define LOOP_OPCODE(name) LOOP_##name,
enum { UPDATE_LOOPS(LOOP_OPCODE) LOOP_sum_of_squares };

#define LOOP_CASE(name) case LOOP_##name: loop_##name(&v, (const name##_numbers *)call->numbers, call->begin, call->end); break;

void run_loop(uintptr_t memory, uint32_t address) {
  loop_call *call = (loop_call *)(memory + address);
  vectors v = {(const float *)(memory + call->weights), (const float *)(memory + call->gradient), {0}, (float *)(memory + call->weights_next), {0}};
  for (int n = 0; n < LOOP_SLOTS; n++) {
    v.slot[n] = (const float *)(memory + call->slots[n]);
    v.slot_next[n] = (float *)(memory + call->slots_next[n]);
  }
  switch (call->loop) {
    UPDATE_LOOPS(LOOP_CASE)
    case LOOP_sum_of_squares: call->numbers[0] = sum_of_squares(v.w + call->begin, call->end - call->begin, call->numbers[0]); break;
    default: __builtin_trap();
  }
}
