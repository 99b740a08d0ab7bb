// Softmax cross-entropy of logits z and class y: log(sum over j of exp(z_j - max)) - (z_y - max), in float64 inside.
#include "maths.h"
#include "program.h"

void run_softmax_cross_entropy(const context *c, const softmax_cross_entropy *i) {
  const float *logits = AT(const float, c, i->logits);
  const int32_t *labels = AT(const int32_t, c, i->labels);
  float *gradient = AT(float, c, i->gradient), *extras = AT(float, c, i->extras);
  double loss = 0.0;
  int correct = 0;
  for (int b = 0; b < c->m; b++) {
    const float *z = logits + b * i->classes;
    int y = labels[b], best = 0;
    for (int j = 1; j < i->classes; j++) if (z[j] > z[best] || (z[j] != z[j] && z[best] == z[best])) best = j;
    double largest = z[best], total = 0.0;
    for (int j = 0; j < i->classes; j++) total += exp_double((double)z[j] - largest);
    loss += log_double(total) - ((double)z[y] - largest);
    correct += best == y; //                               of equal logits the first counts as the answer
    if (!gradient) continue;
    float *g = gradient + b * i->classes;
    for (int j = 0; j < i->classes; j++) g[j] = (float)(exp_double((double)z[j] - largest) / total - (j == y ? 1.0 : 0.0));
  }
  extras[0] = (float)loss;
  extras[1] = (float)correct;
}
