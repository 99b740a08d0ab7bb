// @ts-check
/**
 * What the dashboards are made of. A panel is a question (its title), how to read the answer (its description), queries
 * and a unit; where it lies follows from its place in the list: 24 columns, rows filled from the left.
 */

import {
  AxisPlacement,
  LegendDisplayMode,
  LegendPlacement,
  StackingMode,
  TooltipDisplayMode,
} from '@grafana/grafana-foundation-sdk/common';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

export const datasource = { type: 'prometheus', uid: '${datasource}' };
/** Of the run that is selected. */
export const run = 'run=~"$run"';

/**
 * @typedef {object} Query
 * @property {string} expr
 * @property {string} legend
 */

/**
 * @typedef {object} Panel
 * @property {'stat' | 'lines' | 'stacked' | 'table'} kind
 * @property {string} title - a question
 * @property {string} about - how to read the answer
 * @property {Query[]} queries
 * @property {string} unit
 * @property {number} [width] - of 24 columns
 * @property {boolean} [logarithmic]
 * @property {number} [min]
 * @property {number} [max]
 * @property {{ value: number | null, color: string }[]} [thresholds]
 */

/** @param {Panel} panel @param {dashboard.GridPos} gridPos */
export function panelOf(panel, gridPos) {
  const builder = builderOf(panel)
    .title(panel.title)
    .description(panel.about)
    .datasource(datasource)
    .unit(panel.unit)
    .gridPos(gridPos);
  if (panel.min !== undefined) builder.min(panel.min);
  if (panel.max !== undefined) builder.max(panel.max);
  if (panel.thresholds)
    builder.thresholds(
      new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(panel.thresholds),
    );
  panel.queries.forEach(({ expr, legend }, i) => {
    const query = new prometheus.DataqueryBuilder()
      .datasource(datasource)
      .expr(expr)
      .legendFormat(legend)
      .refId(String.fromCharCode(65 + i));
    if (panel.kind === 'table') query.instant().format(prometheus.PromQueryFormat.Table);
    else query.range();
    builder.withTarget(query);
  });
  return builder;
}

/** @param {Panel} panel */
function builderOf({ kind, queries, logarithmic }) {
  const legend = new common.VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true);
  switch (kind) {
    case 'stat':
      return new stat.PanelBuilder().reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']));
    case 'table': {
      const builder = new table.PanelBuilder();
      builder.withTransformation({ id: queries.length > 1 ? 'merge' : 'organize', options: {} });
      return builder;
    }
    case 'lines':
    case 'stacked': {
      const builder = new timeseries.PanelBuilder()
        .legend(legend)
        .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
        .axisPlacement(AxisPlacement.Auto)
        .lineWidth(1)
        .fillOpacity(kind === 'stacked' ? 40 : 6);
      if (kind === 'stacked') builder.stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
      if (logarithmic)
        builder.scaleDistribution(
          new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
        );
      return builder;
    }
  }
}

const heights = { stat: 4, lines: 8, stacked: 8, table: 7 };
const widths = { stat: 4, lines: 12, stacked: 12, table: 24 };

/** Puts panels side by side until a row is full. @param {readonly Panel[]} panels */
export function laidOut(panels) {
  let [x, y, rowHeight] = [0, 0, 0];
  return panels.map((panel) => {
    const [w, h] = [panel.width ?? widths[panel.kind], heights[panel.kind]];
    if (x + w > 24) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const place = { x, y, w, h };
    x += w;
    rowHeight = Math.max(rowHeight, h);
    return panelOf(panel, place);
  });
}
