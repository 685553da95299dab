// SPDX-License-Identifier: Apache-2.0
// A service's `gpus:` and `deploy.resources.reservations.devices` (Compose Specification, "gpus", "devices"): lists of
// the same fields as in `--gpus`, but real lists, so without its quotes.
import type { GpuRequest } from "./gpus.ts";
import { parseInteger, quoted, usage } from "./usage.ts";

type Fields = Readonly<Record<string, unknown>>;

const KEYS: ReadonlySet<string> = new Set(["driver", "count", "device_ids", "capabilities", "options"]);

/** Parses a service's `gpus:`, `all` or a list of requests. Throws `E_USAGE` with the place of what is wrong. */
export function parseComposeGpus(value: unknown): readonly GpuRequest[] {
  if (value === "all") return [{ driver: "", count: -1, deviceIds: [], capabilities: ["gpu"], options: {} }];
  if (typeof value === "string") throw usage(`gpus: ${quoted(value)} is not "all"`, "or write a list of requests");
  return listOf("gpus", value).map((item, index) => readRequest(`gpus[${index}]`, item));
}

/** Parses `deploy.resources.reservations.devices`, in which capabilities have to be named. Throws `E_USAGE`. */
export function parseComposeDevices(value: unknown): readonly GpuRequest[] {
  return listOf("devices", value).map((item, index) => {
    const place = `devices[${index}]`;
    const request = readRequest(place, item);
    if (isFields(item) && item["capabilities"] !== undefined) return request;
    throw usage(`${place}: capabilities are missing`, "write `capabilities: [gpu]`");
  });
}

function readRequest(place: string, value: unknown): GpuRequest {
  if (!isFields(value)) throw usage(`${place}: not a mapping`, "of driver, count, device_ids, capabilities, options");
  const unknown = Object.keys(value).find((key) => !KEYS.has(key) && !key.startsWith("x-"));
  if (unknown !== undefined)
    throw usage(`${place}: unexpected key ${quoted(unknown)}`, `one of ${[...KEYS].join(", ")}`);
  const { driver = "", count, device_ids: ids, capabilities } = value;
  if (typeof driver !== "string") throw usage(`${place}.driver: not a text`);
  if (count !== undefined && ids !== undefined) throw usage(`${place}: "count" and "device_ids" exclude each other`);
  const deviceIds = ids === undefined ? [] : textsOf(`${place}.device_ids`, ids);
  return {
    driver,
    count: count === undefined ? (deviceIds.length === 0 ? -1 : 0) : readCount(`${place}.count`, count),
    deviceIds,
    capabilities: readCapabilities(`${place}.capabilities`, capabilities),
    options: readOptions(`${place}.options`, value["options"]),
  };
}

/** A number, in quotes or not, or `all`. */
function readCount(place: string, value: unknown): number {
  if (value === "all") return -1;
  const count = typeof value === "string" ? parseInteger(value) : value;
  if (typeof count === "number" && Number.isSafeInteger(count) && count >= -1) return count;
  const shown = typeof value === "string" || typeof value === "number" ? quoted(String(value)) : "it";
  throw usage(`${place}: ${shown} is neither "all" nor a number`);
}

/** `gpu` last, as `--gpus` has it. */
function readCapabilities(place: string, value: unknown): readonly string[] {
  const words = value === undefined ? [] : textsOf(place, value);
  return [...words.filter((word) => word !== "gpu"), "gpu"];
}

/** A mapping, or a list of `key=value`. */
function readOptions(place: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (isFields(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scalar(`${place}.${key}`, item)]));
  }
  return Object.fromEntries(
    textsOf(place, value).map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function textsOf(place: string, value: unknown): readonly string[] {
  const texts = listOf(place, value).map((item, index) => scalar(`${place}[${index}]`, item));
  if (texts.some((text) => text.trim() === "")) throw usage(`${place}: an item is empty`);
  return texts;
}

function scalar(place: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw usage(`${place}: not a text`);
}

function listOf(place: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw usage(`${place}: not a list`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
