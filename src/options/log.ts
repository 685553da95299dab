// SPDX-License-Identifier: Apache-2.0
/* `--log-driver` and `--log-opt`: which drivers there are, the options of each, and what their values mean. */
import { parseBytes, parseDecimalBytes } from "./sizes.ts";
import { cut, parseInteger, usage } from "./usage.ts";
import { TareError } from "../base/index.ts";

/** Where a container's output is kept. `json-file` and `local` are both files of the store. */
export type LogDriver = "json-file" | "local" | "journald" | "none";

/** A container's log as asked for; the options are checked. */
export interface LogConfig {
  readonly driver: LogDriver;
  readonly options: Readonly<Record<string, string>>;
}

/** How large a log of files may become. */
export interface LogLimits {
  /** Bytes of one file. */
  readonly size: number;
  /** Number of files. */
  readonly files: number;
}

const DEFAULT_LIMITS: LogLimits = { size: 10 * 1024 * 1024, files: 5 };
const DEFAULT_DRIVER: LogDriver = "json-file";

const ATTRIBUTES = ["tag", "labels", "labels-regex", "env", "env-regex"];
const FILE_OPTIONS = ["max-size", "max-file", "compress", "mode", "max-buffer-size", ...ATTRIBUTES];

const DRIVER_OPTIONS: Readonly<Record<LogDriver, readonly string[]>> = {
  "json-file": FILE_OPTIONS,
  local: FILE_OPTIONS,
  journald: ["mode", "max-buffer-size", "tag"],
  none: [],
};

/** Docker's other drivers, all of which send the output elsewhere. */
const ELSEWHERE = ["awslogs", "etwlogs", "fluentd", "gcplogs", "gelf", "logentries", "splunk", "syslog"];

/**
 * The log of a container from `--log-driver` and the `--log-opt`s, over defaults from the settings. Options of the
 * settings hold for their own driver only, as with Docker. Throws `E_USAGE`; `E_UNSUPPORTED` for a driver of Docker's.
 */
export function parseLogConfig(
  driver: string | undefined,
  words: readonly string[],
  defaults: LogConfig = { driver: DEFAULT_DRIVER, options: {} },
): LogConfig {
  const chosen = driver === undefined || driver === "" ? defaults.driver : parseLogDriver(driver);
  const given = Object.fromEntries(words.map((word) => parseLogOption(word)));
  const options = { ...(chosen === defaults.driver ? defaults.options : {}), ...given };
  for (const [name, value] of Object.entries(options)) checkOption(chosen, name, value);
  if (options["max-buffer-size"] !== undefined && options["mode"] !== "non-blocking") {
    throw usage("max-buffer-size is only supported in non-blocking mode", "leave it out");
  }
  return { driver: chosen, options };
}

/** One driver by name. */
export function parseLogDriver(text: string): LogDriver {
  if (isDriver(text)) return text;
  const there = `there are ${Object.keys(DRIVER_OPTIONS).join(", ")}`;
  if (ELSEWHERE.includes(text)) {
    const why = "it sends the output to a service, which needs a process that stays; Tare has no daemon";
    throw new TareError("E_UNSUPPORTED", `no log driver \`${text}\`: ${why}`, {
      hint: `${there}; \`tare logs -f\` can feed a collector, and collectors read the files and the journal`,
      exitCode: 125,
    });
  }
  throw usage(`no log driver named '${text}'`, there);
}

function isDriver(text: string): text is LogDriver {
  return Object.hasOwn(DRIVER_OPTIONS, text);
}

function parseLogOption(word: string): readonly [name: string, value: string] {
  const { key, value } = cut(word, "=");
  if (value === undefined || key === "") throw usage(`invalid logging opts format: ${word}`, "expected name=value");
  return [key, value];
}

function checkOption(driver: LogDriver, name: string, value: string): void {
  const known = DRIVER_OPTIONS[driver];
  if (!known.includes(name)) {
    const hint = known.length > 0 ? `it knows ${known.join(", ")}` : "it takes none";
    throw usage(`unknown log opt '${name}' for ${driver} log driver`, hint);
  }
  CHECKS[name]?.(value, driver);
}

const CHECKS: Readonly<Record<string, (value: string, driver: LogDriver) => void>> = {
  "max-size": (value, driver) => void parseMaxSize(value, driver),
  "max-file": (value) => void parseMaxFile(value),
  compress: (value) => {
    if (!["true", "false", "1", "0"].includes(value)) throw usage(`invalid compress \`${value}\``, "true or false");
  },
  mode: (value) => {
    if (value === "blocking") return;
    if (value !== "non-blocking") throw usage(`logger: logging mode not supported: ${value}`, "expected blocking");
    throw new TareError("E_UNSUPPORTED", "log opt `mode=non-blocking`: no output is ever dropped", {
      hint: "leave it out: the log is written to files by a process of its own, which is as fast as the disk",
      exitCode: 125,
    });
  },
  tag: (value) => void expandTag(value, TAG_FIELDS),
  "labels-regex": (value) => checkPattern("labels-regex", value),
  "env-regex": (value) => checkPattern("env-regex", value),
};

/** The limits of a log of files. Docker counts `json-file`'s sizes in thousands and `local`'s in 1024s. */
export function logLimits({ driver, options }: LogConfig): LogLimits {
  const { "max-size": size, "max-file": files } = options;
  return {
    size: size === undefined ? DEFAULT_LIMITS.size : parseMaxSize(size, driver),
    files: files === undefined ? DEFAULT_LIMITS.files : parseMaxFile(files),
  };
}

function parseMaxSize(text: string, driver: LogDriver): number {
  const binary = parseBytes(text);
  if (binary <= 0) throw usage(`invalid max-size \`${text}\``, "a size such as 10m");
  return driver === "local" ? binary : parseDecimalBytes(text) || binary;
}

function parseMaxFile(text: string): number {
  const count = parseInteger(text);
  if (typeof count === "number" && count >= 1) return count;
  throw usage(`invalid max-file \`${text}\`: max-file cannot be less than 1`, "a number such as 5");
}

function checkPattern(name: string, value: string): void {
  try {
    RegExp(value);
  } catch {
    throw usage(`invalid ${name} \`${value}\``, "expected a regular expression");
  }
}

/** What a tag may name of its container; empty where only the names matter. */
export type TagFields = Readonly<Record<"ID" | "FullID" | "Name" | "ImageID" | "ImageFullID" | "ImageName", string>>;

const TAG_FIELDS: TagFields = { ID: "", FullID: "", Name: "", ImageID: "", ImageFullID: "", ImageName: "" };

/** A tag with its `{{.Name}}`s replaced. Throws `E_USAGE` for anything else between braces. */
export function expandTag(template: string, fields: TagFields): string {
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_all, inner: string) => {
    const name = inner.trim().replace(/^\./, "");
    if (name === "DaemonName") return "tare";
    const value = Object.entries(fields).find(([field]) => field === name)?.[1];
    if (value !== undefined) return value;
    const names = Object.keys(fields).map((field) => `{{.${field}}}`);
    throw usage(`invalid log tag \`${template}\``, `it may have ${names.join(", ")}`);
  });
}
