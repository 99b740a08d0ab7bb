// @ts-check
/** What does it cost to add up gradients over a network? */

import { run } from './panels.mjs';

/** @param {import('./build.mjs').Names} names @returns {import('./panels.mjs').Panel[]} */
export function exchangePanels({ worker: w }) {
  const quantile = (/** @type {number} */ q, /** @type {string} */ phase) =>
    `histogram_quantile(${q}, sum by (le) (rate(${w.phaseSeconds}_bucket{${run},phase="${phase}"}[$__rate_interval])))`;
  const ofAll = `sum(rate(${w.phaseSeconds}_sum{${run}}[$__rate_interval]))`;
  return [
    {
      kind: 'stat',
      title: 'What share of a step is exchange?',
      about: 'Of the time of all workers. Below a fifth a larger batch gains little.',
      queries: [
        {
          expr: `sum(rate(${w.phaseSeconds}_sum{${run},phase="exchange"}[1m])) / sum(rate(${w.phaseSeconds}_sum{${run}}[1m]))`,
          legend: 'share',
        },
      ],
      unit: 'percentunit',
      width: 6,
    },
    {
      kind: 'stat',
      title: 'What share of a step is waiting?',
      about: 'For slower workers: the price of unequal speed.',
      queries: [
        {
          expr: `sum(rate(${w.phaseSeconds}_sum{${run},phase="wait"}[1m])) / sum(rate(${w.phaseSeconds}_sum{${run}}[1m]))`,
          legend: 'share',
        },
      ],
      unit: 'percentunit',
      width: 6,
    },
    {
      kind: 'stat',
      title: 'How many bytes does a step cost?',
      about: 'Sent by all workers together, for one step.',
      queries: [
        {
          expr: `sum(rate(${w.exchanged}{${run},direction="sent"}[1m])) / max(rate(${w.steps}{${run}}[1m]))`,
          legend: 'bytes',
        },
      ],
      unit: 'bytes',
      width: 6,
    },
    {
      kind: 'stat',
      title: 'How much do they send?',
      about: 'Bytes a second, all workers together, in the last minute.',
      queries: [{ expr: `sum(rate(${w.exchanged}{${run},direction="sent"}[1m]))`, legend: 'bytes/s' }],
      unit: 'Bps',
      width: 6,
    },
    {
      kind: 'lines',
      title: 'How long does the exchange of a step take?',
      about:
        'From the arrival of the last part until the whole sum is there: the median, and what one step of a hundred exceeds.',
      queries: [
        { expr: quantile(0.5, 'exchange'), legend: 'median' },
        { expr: quantile(0.99, 'exchange'), legend: '99 %' },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'How long do they wait for each other?',
      about: 'From own sums ready until the last part is there: the median, and what one step of a hundred exceeds.',
      queries: [
        { expr: quantile(0.5, 'wait'), legend: 'median' },
        { expr: quantile(0.99, 'wait'), legend: '99 %' },
      ],
      unit: 's',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'Who sends and receives how much?',
      about: 'Bytes a second by worker and direction.',
      queries: [
        {
          expr: `sum by (worker, direction) (rate(${w.exchanged}{${run}}[$__rate_interval]))`,
          legend: '{{worker}} {{direction}}',
        },
        {
          expr: `sum by (worker) (rate(${w.hidden}{${run}}[$__rate_interval]))`,
          legend: '{{worker}} while it computes',
        },
      ],
      unit: 'Bps',
      min: 0,
    },
    {
      kind: 'stacked',
      title: 'In which codec do gradients travel?',
      about: 'Bytes a second that are sent, by codec. f32 is exact.',
      queries: [
        {
          expr: `sum by (codec) (rate(${w.exchanged}{${run},direction="sent"}[$__rate_interval]))`,
          legend: '{{codec}}',
        },
      ],
      unit: 'Bps',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'What share of its time does each worker exchange?',
      about: 'A worker that stands out has a slower network than the others.',
      queries: [
        {
          expr: `sum by (worker) (rate(${w.phaseSeconds}_sum{${run},phase="exchange"}[$__rate_interval])) / sum by (worker) (rate(${w.phaseSeconds}_sum{${run}}[$__rate_interval]))`,
          legend: '{{worker}}',
        },
      ],
      unit: 'percentunit',
      min: 0,
    },
    {
      kind: 'lines',
      title: 'What share of their time do all of them compute?',
      about: 'The efficiency of the cluster: 100 % would be machines that have nothing to say to each other.',
      queries: [
        {
          expr: `sum(rate(${w.phaseSeconds}_sum{${run},phase="compute"}[$__rate_interval])) / ${ofAll}`,
          legend: 'compute',
        },
      ],
      unit: 'percentunit',
      min: 0,
      max: 1,
    },
  ];
}
