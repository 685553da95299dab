// SPDX-License-Identifier: Apache-2.0
// `--gpus` as Docker's client reads it (testdata/gpus.json is what that makes of each value), and stricter where the
// daemon would refuse what the client sends, or do something that nobody can have meant.
import { parseCsvFields } from "./csv.ts";
import type { CsvField } from "./csv.ts";
import { cut, parseInteger, usage } from "./usage.ts";

/** What `--gpus` asks for, as Docker's DeviceRequest; `count` -1 is all, 0 means the devices named in `deviceIds`. */
export interface GpuRequest {
  /** Empty: the driver that this host has. */
  readonly driver: string;
  readonly count: number;
  readonly deviceIds: readonly string[];
  /** What is asked for, `gpu` last as Docker's client adds it. */
  readonly capabilities: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

const KEYS: readonly string[] = ["driver", "count", "device", "capabilities", "options"];
/** Those whose values are lists, and so need quotes around the whole field. */
const LISTS: readonly string[] = ["device", "capabilities", "options"];

/** Parses `--gpus all | N | device=ID,… | driver=…,"capabilities=…"`. Throws `E_USAGE` with Docker's text. */
export function parseGpus(text: string): GpuRequest {
  const fields = parseCsvFields(text);
  const seen = new Set<string>();
  let request: Partial<GpuRequest> = {};
  for (const field of fields) {
    if (seen.has(field.key)) throw specifiedTwice(field.key);
    seen.add(field.key);
    request = { ...request, ...readField(field, request, fields) };
  }
  return complete(request);
}

function readField(field: CsvField, before: Partial<GpuRequest>, all: readonly CsvField[]): Partial<GpuRequest> {
  const { key, value } = field;
  if (value === undefined) return readCount(key, before, all);
  switch (key) {
    case "driver":
      return { driver: value };
    case "count":
      return readCount(value, before, all);
    case "device":
      if (before.count) throw countAndDevices(all);
      return { deviceIds: readIds(value) };
    case "capabilities":
      return { capabilities: [...value.split(","), "gpu"] };
    case "options":
      return { options: readOptions(value) };
    default:
      throw usage(`unexpected key '${key}' in '${field.text}'`, `one of ${KEYS.join(", ")}`);
  }
}

function complete({
  driver = "",
  count,
  deviceIds = [],
  capabilities = ["gpu"],
  options = {},
}: Partial<GpuRequest>): GpuRequest {
  return { driver, count: count ?? (deviceIds.length === 0 ? 1 : 0), deviceIds, capabilities, options };
}

function readCount(text: string, before: Partial<GpuRequest>, all: readonly CsvField[]): Pick<GpuRequest, "count"> {
  const count = text === "all" ? -1 : parseInteger(text);
  if (typeof count === "string") {
    throw usage(`invalid count (${text}): value must be either "all" or an integer: ${count}`, quotingHint(all));
  }
  if (count !== 0 && before.deviceIds !== undefined) throw countAndDevices(all);
  if (before.count !== undefined) throw specifiedTwice("count");
  if (count < -1) throw usage(`invalid count (${text}): value must be either "all" or an integer above 0`);
  return { count };
}

function readIds(text: string): readonly string[] {
  const ids = text.split(",");
  if (ids.every((id) => id.trim() !== "")) return ids;
  throw usage("a device of the gpu request has no name", "as in `--gpus device=0`, or leave `device=` out");
}

/** Its own field of comma-separated values, in which a word alone is a key without a value. */
function readOptions(text: string): Readonly<Record<string, string>> {
  if (text === "") throw usage("failed to read gpu options: EOF");
  const options = parseCsvFields(text).map((field) => {
    const { key, value = "" } = cut(field.text, "=");
    return [key, value] as const;
  });
  return Object.fromEntries(options);
}

function specifiedTwice(key: string): Error {
  return usage(`gpu request key '${key}' can be specified only once`);
}

/** Docker's client sends it, and its daemon refuses. */
function countAndDevices(all: readonly CsvField[]): Error {
  return usage(
    "cannot set both Count and DeviceIDs on device request",
    quotingHint(all) ?? "name the devices, or say how many, not both",
  );
}

/** Where words follow a list they were meant to be part of it. */
function quotingHint(all: readonly CsvField[]): string | undefined {
  const parts: { readonly field: CsvField; readonly more: string[] }[] = [];
  for (const field of all) {
    const last = parts.at(-1);
    if (field.value === undefined && last && LISTS.includes(last.field.key)) last.more.push(field.text);
    else parts.push({ field, more: [] });
  }
  if (parts.every(({ more }) => more.length === 0)) return undefined;
  const value = parts.map(({ field, more }) => quotedField([field.text, ...more].join(","))).join(",");
  return `a comma ends a field: quote a list as a whole inside the value: --gpus '${value}'`;
}

function quotedField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
