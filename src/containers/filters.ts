// SPDX-License-Identifier: Apache-2.0
/* `--filter` of `ps` and `prune`: values of one key are alternatives, except labels, which must all hold. */
import { TareError, suggest } from "../base/index.ts";
import type { HealthStatus } from "./health-state.ts";
import type { ContainerRecord, DerivedState } from "./types.ts";

/** A container with its derived state. */
export interface ContainerView {
  readonly record: ContainerRecord;
  readonly state: DerivedState;
  /** Absent without a health check. */
  readonly health?: HealthStatus;
}

/** Look-ups that some filters need. */
export interface FilterLookups {
  /** The container that `before=` or `since=` names. Throws `E_CONTAINER_NOTFOUND`. */
  container(text: string): ContainerRecord;
  /** The image that `ancestor=` names, if it is in the store. */
  image(text: string): { readonly id: string; readonly diffIds: readonly string[] } | undefined;
  /** The ids of the containers in the network that `network=` names; undefined when there is none. */
  network(text: string): ReadonlySet<string> | undefined;
  /** Ports of a running container (`80/tcp`): those of the host, and those in it. */
  ports(record: ContainerRecord): { readonly published: readonly string[]; readonly inside: readonly string[] };
}

const HEALTH = ["starting", "healthy", "unhealthy", "none"];

type Filter = (view: ContainerView, value: string, lookups: FilterLookups) => boolean;

const STATUSES = ["created", "restarting", "running", "removing", "paused", "exited", "dead"];

const FILTERS: Readonly<Record<string, Filter>> = {
  status: ({ state }, value) => (state.paused ? "paused" : state.status) === oneOf("status", value, STATUSES),
  name: ({ record }, value) => matchesName(record.name, value),
  id: ({ record }, value) => record.id.includes(value),
  label: ({ record }, value) => matchesLabel(record.config.Labels, value),
  "label!": ({ record }, value) => !matchesLabel(record.config.Labels, value),
  until: ({ record }, value) => record.createdAt < parseMoment(value, Date.now()),
  exited: ({ state }, value) => state.status === "exited" && state.exitCode === integer("exited", value),
  ancestor: ({ record }, value, lookups) => hasAncestor(record, value, lookups),
  before: ({ record }, value, lookups) => record.createdAt < lookups.container(value).createdAt,
  since: ({ record }, value, lookups) => record.createdAt > lookups.container(value).createdAt,
  volume: ({ record }, value) =>
    record.mounts.some(({ name, source, destination }) => (name ?? source) === value || destination === value),
  expose: (view, value, lookups) => hasPort(portsOf(view, lookups).inside, "expose", value),
  publish: (view, value, lookups) => hasPort(portsOf(view, lookups).published, "publish", value),
  health: ({ health = "none" }, value) => health === oneOf("health", value, HEALTH),
  network: ({ record }, value, lookups) => isInNetwork(record, value, lookups),
};

const ALL_OF = new Set(["label", "label!", "until"]);

/** A filter function for values by key. Throws `E_FILTER` for an unknown key or a malformed value. */
export function containerFilter(
  filters: Readonly<Record<string, readonly string[]>>,
  lookups: FilterLookups,
): (view: ContainerView) => boolean {
  for (const [key, values] of Object.entries(filters)) for (const value of values) checkFilter(key, value);
  return (view) => fitsFilters(filters, (key, value) => FILTERS[key]?.(view, value, lookups) ?? false);
}

/** Whether all keys hold: labels and times with all their values, others with one. */
export function fitsFilters(
  filters: Readonly<Record<string, readonly string[]>>,
  holds: (key: string, value: string) => boolean,
): boolean {
  return Object.entries(filters).every(([key, values]) => {
    const test = (value: string): boolean => holds(key, value);
    return ALL_OF.has(key) ? values.every(test) : values.some(test);
  });
}

/** Values are checked even when there is no container to test them on. */
function checkFilter(key: string, value: string): void {
  if (!Object.hasOwn(FILTERS, key)) {
    if (key === "is-task") throw filterError(key, "there are no tasks of Docker Swarm here");
    const near = suggest(key, Object.keys(FILTERS));
    throw filterError(key, "no such filter", near ? `did you mean \`${near}\`?` : undefined);
  }
  if (key === "expose" || key === "publish") portRange(key, value);
  if (key === "status") oneOf(key, value, STATUSES);
  if (key === "health") oneOf(key, value, HEALTH);
  if (key === "exited") integer(key, value);
  if (key === "until") parseMoment(value, 0);
}

function oneOf(key: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw filterError(`${key}=${value}`, `expected one of ${allowed.join(", ")}`);
}

function integer(key: string, value: string): number {
  if (/^-?\d+$/.test(value)) return Number(value);
  throw filterError(`${key}=${value}`, "expected a number");
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** `80`, `80/udp`, `8000-8010/tcp`; without a protocol it is TCP. */
function portRange(key: string, value: string): PortRange {
  const [, first = "", last = first, protocol = "tcp"] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value) ?? [];
  const range = { first: Number(first), last: Number(last), protocol };
  if (first !== "" && range.first <= range.last && range.last <= 65_535) return range;
  throw filterError(`${key}=${value}`, "expected a port or a range, as in `80`, `53/udp` or `8000-8010`");
}

function portsOf({ record, state }: ContainerView, lookups: FilterLookups): ReturnType<FilterLookups["ports"]> {
  return state.status === "running" ? lookups.ports(record) : { published: [], inside: [] };
}

/** Whether one of these ports (`80/tcp`) is in the range. */
function hasPort(ports: readonly string[], key: string, value: string): boolean {
  const { first, last, protocol } = portRange(key, value);
  return ports.some((port) => {
    const [number = "", kind = "tcp"] = port.split("/");
    return kind === protocol && Number(number) >= first && Number(number) <= last;
  });
}

function filterError(text: string, why: string, hint?: string): TareError {
  const known = `filters: ${Object.keys(FILTERS).join(", ")}`;
  return new TareError("E_FILTER", `reading the filter \`${text}\`: ${why}`, { hint: hint ?? known });
}

/** Docker takes the value as a regular expression that may match anywhere; a bad one is taken literally. */
function matchesName(name: string, value: string): boolean {
  try {
    const pattern = new RegExp(value);
    return pattern.test(name) || pattern.test(`/${name}`);
  } catch {
    return name.includes(value);
  }
}

/** `key`, or `key=value`. */
export function matchesLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf("=");
  if (equals < 0) return Object.hasOwn(labels, value);
  return labels[value.slice(0, equals)] === value.slice(equals + 1);
}

/** The image itself, or one that is built on it: its layers are the first of the container's. */
function hasAncestor(record: ContainerRecord, value: string, lookups: FilterLookups): boolean {
  const { image: reference, imageId: id, imageTarget: target, layers } = record;
  const hex = value.replace(/^sha256:/, "");
  if (reference === value || (/^[0-9a-f]{12,64}$/.test(hex) && (id.slice(7).startsWith(hex) || target === value)))
    return true;
  const image = lookups.image(value);
  if (!image) return false;
  return (
    image.id === id || (image.diffIds.length > 0 && image.diffIds.every((layer, index) => layers[index] === layer))
  );
}

/** In it now, or when it starts. */
function isInNetwork({ id, host }: ContainerRecord, value: string, lookups: FilterLookups): boolean {
  return host.network === value || lookups.network(value)?.has(id) === true;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A date, a Unix time in seconds, or an age such as `1h30m` before `now`. Milliseconds. Throws `E_FILTER`. */
export function parseMoment(text: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
    return now - parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? 0), 0);
  }
  const date = Date.parse(text);
  if (!Number.isNaN(date)) return date;
  throw filterError(text, "expected a date, a Unix time or an age such as 24h");
}
