/** What `kubectl kustomize` makes of deploy/kubernetes/, as it lies in test/fixtures/, with types for what rules look at. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { packageRoot } from '../../src/core/paths.js';

export const overlays = ['cpu', 'monitored', 'nvidia', 'standby', 'trial'] as const;

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly startupProbe?: object;
  readonly readinessProbe?: object;
  readonly livenessProbe?: object;
}

export interface PodSpec {
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
  readonly containers: readonly Container[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly enableServiceLinks?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostNetwork?: boolean;
}

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: Record<string, string> };
    readonly podSelector?: { readonly matchLabels?: Record<string, string> };
    readonly template?: { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };
  };
}

export function goldenFile(overlay: string): string {
  return join(packageRoot, 'test', 'fixtures', 'kubernetes', `${overlay}.yaml`);
}

export function manifestsOf(overlay: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(goldenFile(overlay), 'utf8')).map((document) => document.toJS() as Manifest);
}

/** The pods that a manifest asks for. */
export function podOf({ spec }: Manifest): PodSpec | undefined {
  return spec?.template?.spec;
}
