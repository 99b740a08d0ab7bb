// Losses of a micro-batch, summed over its samples, in float64 inside. What counts as a correct answer is said at each.
#include "maths.h"
#include "program.h"

// Softmax cross-entropy of logits z and class y: log(sum over j of exp(z_j - max)) - (z_y - max).
void run_softmax_cross_entropy(const context *c, const softmax_cross_entropy *i) {
  const float *logits = AT(const float, c, i->logits);
  const int32_t *labels = AT(const int32_t, c, i->labels);
  float *gradient = AT(float, c, i->gradient), *extras = AT(float, c, i->extras);
  double *total = AT(double, c, i->total), loss = c->first == 0 ? 0.0 : *total;
  int correct = c->first == 0 ? 0 : (int)extras[1];
  for (int b = 0; b < c->m; b++) {
    const float *z = logits + b * i->classes;
    int y = labels[c->first + b], best = 0;
    for (int j = 1; j < i->classes; j++) if (z[j] > z[best] || (z[j] != z[j] && z[best] == z[best])) best = j;
    double largest = z[best], sum = 0.0;
    for (int j = 0; j < i->classes; j++) sum += exp_double((double)z[j] - largest);
    loss += log_double(sum) - ((double)z[y] - largest);
    correct += best == y; //                               of equal logits the first counts as the answer
    if (!gradient) continue;
    float *g = gradient + b * i->classes;
    for (int j = 0; j < i->classes; j++) g[j] = (float)(exp_double((double)z[j] - largest) / sum - (j == y ? 1.0 : 0.0));
  }
  *total = loss;
  extras[0] = (float)loss;
  extras[1] = (float)correct;
}

// Mean over outputs of max(z, 0) - z t + log(1 + exp(-|z|)), the cross-entropy of sigmoid(z) and a target t in 0..1. Correct
// is a sample all of whose outputs are on their targets' side of 1/2.
void run_sigmoid_cross_entropy(const context *c, const sigmoid_cross_entropy *i) {
  const float *logits = AT(const float, c, i->logits), *targets = AT(const float, c, i->targets) + c->first * i->outputs;
  float *gradient = AT(float, c, i->gradient), *extras = AT(float, c, i->extras);
  double *total = AT(double, c, i->total), loss = c->first == 0 ? 0.0 : *total;
  int correct = c->first == 0 ? 0 : (int)extras[1];
  for (int b = 0; b < c->m; b++) {
    double sum = 0.0;
    int right = 1;
    for (int n = b * i->outputs; n < (b + 1) * i->outputs; n++) {
      double z = (double)logits[n], t = (double)targets[n], e = exp_double(z < 0.0 ? z : -z), largest = z <= 0.0 ? 0.0 : z;
      sum += (largest - z * t) + log_double(1.0 + e);
      right &= (z > 0.0) == (t > 0.5);
      if (gradient) gradient[n] = (float)(((z < 0.0 ? e : 1.0) / (1.0 + e) - t) / i->outputs);
    }
    loss += sum / i->outputs;
    correct += right;
  }
  *total = loss;
  extras[0] = (float)loss;
  extras[1] = (float)correct;
}

static int largest_of(const float *values, int count) {
  int best = 0;
  for (int j = 1; j < count; j++) if (values[j] > values[best]) best = j;
  return best;
}

// Mean over outputs of the squared difference. Correct is a sample whose largest output is where its largest target is; with
// one output there is no such thing.
void run_mean_squared_error(const context *c, const mean_squared_error *i) {
  const float *predictions = AT(const float, c, i->predictions), *targets = AT(const float, c, i->targets) + c->first * i->outputs;
  float *gradient = AT(float, c, i->gradient), *extras = AT(float, c, i->extras);
  double *total = AT(double, c, i->total), loss = c->first == 0 ? 0.0 : *total;
  int correct = c->first == 0 ? 0 : (int)extras[1];
  for (int b = 0; b < c->m; b++) {
    double sum = 0.0;
    for (int n = b * i->outputs; n < (b + 1) * i->outputs; n++) {
      double d = (double)predictions[n] - (double)targets[n];
      sum += d * d;
      if (gradient) gradient[n] = (float)(2.0 * d / i->outputs);
    }
    loss += sum / i->outputs;
    int at = b * i->outputs;
    correct += i->outputs > 1 && largest_of(predictions + at, i->outputs) == largest_of(targets + at, i->outputs);
  }
  *total = loss;
  extras[0] = (float)loss;
  extras[1] = (float)correct;
}
