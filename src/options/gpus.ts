// SPDX-License-Identifier: Apache-2.0
import { parseCsvFields } from "./csv.ts";
import { cut, parseInteger, quoted, usage } from "./usage.ts";

/** What `--gpus` asks for; `count` -1 is all, 0 means the devices named in `deviceIds`. */
export interface GpuRequest {
  readonly driver: string;
  readonly count: number;
  readonly deviceIds: readonly string[];
  readonly capabilities: readonly string[];
  readonly options: Readonly<Record<string, string>>;
}

const KEYS: ReadonlySet<string> = new Set(["driver", "count", "device", "capabilities", "options"]);

/** Parses `--gpus all | N | device=ID,… | driver=…,"capabilities=…"`. Throws `E_USAGE` with Docker's text. */
export function parseGpus(text: string): GpuRequest {
  const seen = new Map<string, string>();
  for (const field of parseCsvFields(text)) {
    const key = field.value === undefined ? "count" : field.key;
    if (seen.has(key)) throw usage(`gpu request key '${key}' can be specified only once`);
    if (!KEYS.has(key)) throw usage(`unexpected key '${key}' in '${field.text}'`, `one of ${[...KEYS].join(", ")}`);
    seen.set(key, field.value ?? field.key);
  }
  const count = seen.get("count");
  const device = seen.get("device");
  if (count !== undefined && device !== undefined) throw usage("cannot set both count and device IDs on a gpu request");
  return {
    driver: seen.get("driver") ?? "",
    count: count === undefined ? (device === undefined ? 1 : 0) : parseCount(count),
    deviceIds: device === undefined ? [] : device.split(","),
    capabilities: [...new Set(["gpu", ...(seen.get("capabilities")?.split(",") ?? [])])],
    options: parseOptions(seen.get("options")),
  };
}

function parseCount(text: string): number {
  const count = text === "all" ? -1 : parseInteger(text);
  if (typeof count === "string") {
    throw usage(`invalid count (${text}): value must be either "all" or an integer: ${count}`);
  }
  if (count < -1 || count === 0)
    throw usage(`invalid count (${text}): value must be either "all" or an integer above 0`);
  return count;
}

function parseOptions(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  const options = parseCsvFields(text).map((field) => {
    const { key, value } = cut(field.text, "=");
    if (value === undefined) throw usage(`invalid gpu option ${quoted(field.text)}`, "expected key=value");
    return [key, value] as const;
  });
  return Object.fromEntries(options);
}
