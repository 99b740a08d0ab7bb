/** docs/optimizers.md, from the tables of rules and schedules. `scripts/docs.mjs` writes it and a test checks that it is current. */

import { optimizerAbout, optimizerNames, optimizerOptions } from './registry.js';
import { scheduleForms } from './schedule-text.js';

const introduction = `# Update rules and learning-rate schedules

<!-- Written by scripts/docs.mjs from src/optim: change it there. -->

Conventions are PyTorch's. Arithmetic is float64 inside of an element's update; what is stored is rounded to float32
once. The gradient is divided by the number of samples of the step, then clipped (\`--clip-norm\`), then handed to the rule.

<!-- test: update rule -->

\`\`\`sh
lockstep train --optimizer rmsprop --optimizer-option rho=0.9 --optimizer-option centered=true --lr-schedule cosine
\`\`\`
`;

const scaling = `## Another batch size (\`--lr-scaling\`)

A learning rate is good for one batch size. With k = batch / \`--base-batch\`:

| rule | learning rate | options | \`auto\` takes it for |
|---|---|---|---|
| \`linear\` | lr k | stay | sgd, momentum, nesterov, lars |
| \`sqrt\` | lr sqrt(k) | beta1, beta2, rho to the power of k; epsilon / sqrt(k) | adam, adamw, lamb, rmsprop, adagrad |
| \`none\` | lr | stay | adadelta, rprop |

Linear: Goyal et al. 2017. Square root: Malladi et al. 2022, who take 1 - beta times k, which beta^k equals to first order
without ever passing 0. A rate that was raised is reached over the first epoch times (1 - 1/k), unless \`--warmup-steps\` says
otherwise. The rate stays outside of momentum buffers, so that they need no correction when it changes; LARS has it inside, as
in its paper. \`--lr-max\` bounds it: how large a rate can be is a matter of curvature, so that a batch beyond the one whose rate
is the bound learns as that one does (Shallue et al. 2018).
`;

export function optimizersPage(): string {
  const rules = optimizerNames.map((name) => {
    const rows = Object.entries(optimizerOptions[name]).map(
      ([option, { default: value, expects, about }]) => `| \`${option}\` | ${String(value)} | ${expects} | ${about} |`,
    );
    const table =
      rows.length === 0
        ? 'No options.'
        : ['| option | default | takes | meaning |', '|---|---|---|---|', ...rows].join('\n');
    return `### ${name}\n\n${optimizerAbout[name]}\n\n${table}\n`;
  });
  const schedules = scheduleForms.map(({ form, about }) => `| \`${form}\` | ${about} |`);
  return [
    introduction,
    '## Rules (`--optimizer`)\n',
    ...rules,
    '## Schedules (`--lr-schedule`)\n',
    'Settings show their defaults. A schedule knows samples, not steps: it does not depend on the size of the batch.',
    '`--warmup-steps N` multiplies any of them by a line that reaches 1 with step N.\n',
    ['| schedule | meaning |', '|---|---|', ...schedules, ''].join('\n'),
    scaling,
  ].join('\n');
}
