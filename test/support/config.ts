// SPDX-License-Identifier: Apache-2.0
/* The part of an image config that says how a container starts, in a form in which engines can be compared. */

const FIELDS = [
  "Env",
  "Cmd",
  "Entrypoint",
  "WorkingDir",
  "User",
  "ExposedPorts",
  "Volumes",
  "Labels",
  "StopSignal",
  "Healthcheck",
  "OnBuild",
  "Shell",
] as const;

type Json = Readonly<Record<string, unknown>>;

/** The fields that count; empty ones are absent, the environment is sorted, engines' own labels are left out. */
function comparableConfig(config: unknown): Json {
  const source = (config ?? {}) as Json;
  const pairs = FIELDS.map((field) => [field, normal(field, source[field])] as const);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

function normal(field: string, value: unknown): unknown {
  if (value === undefined || value === null || value === "") return undefined;
  if (field === "Env" && Array.isArray(value)) return value.length > 0 ? [...value].sort() : undefined;
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (typeof value !== "object") return value;
  const entries = Object.entries(value).filter(([key]) => key !== "io.buildah.version");
  return entries.length > 0 ? Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) : undefined;
}

/** Differences as lines. */
export function compareConfigs(left: unknown, right: unknown): readonly string[] {
  const [a, b] = [comparableConfig(left), comparableConfig(right)];
  const differs = FIELDS.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
  return differs.map((field) => `config.${field}: ${JSON.stringify(a[field])} != ${JSON.stringify(b[field])}`);
}
