import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../src/core/paths.js';

/** What deploy/ says to Prometheus and Grafana, as tests look at it. */

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly options: { readonly legend?: { readonly showLegend: boolean } };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly links: readonly unknown[];
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly target?: { readonly expr: string } }[];
  };
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

export const dashboardNames = ['cluster', 'training', 'exchange'] as const;

export function readDashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(join(packageRoot, 'deploy', 'grafana', `${name}.json`), 'utf8')) as Dashboard;
}

export function readAlerts(): readonly Alert[] {
  const text = readFileSync(join(packageRoot, 'deploy', 'prometheus', 'alerts.yml'), 'utf8');
  return (parse(text) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules);
}

/** Every query of a dashboard: of panels and of annotations. */
export function queriesOf({
  panels,
  annotations,
}: Dashboard): readonly { readonly where: string; readonly expr: string }[] {
  return [
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...annotations.list.flatMap(({ name, target }) =>
      target ? [{ where: `annotation ${name}`, expr: target.expr }] : [],
    ),
  ];
}
