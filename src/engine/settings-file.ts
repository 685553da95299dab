// SPDX-License-Identifier: Apache-2.0
/*
 * The user's settings, `$XDG_CONFIG_HOME/tare/settings.toml` over `/etc/tare/settings.toml`, section by section:
 *
 *     [log]
 *     driver = "json-file"
 *     [log.options]
 *     max-size = "20m"
 *     [debug]
 *     image = "debian:bookworm-slim"
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { TareError, messageOf, readTextIfPresent, suggest } from "../base/index.ts";
import { parseLogConfig } from "../options/index.ts";
import type { LogConfig } from "../options/index.ts";
import type { Settings } from "./settings.ts";

/** What the files say; absent: the usual. */
export interface FileSettings {
  /** Log driver and options of containers that name none. */
  readonly log?: LogConfig;
  /** Image with the tools of `tare debug`. */
  readonly debugImage?: string;
}

/** Sections that a file may have. */
const SECTIONS = ["debug", "log", "publish"];
const SYSTEM_FILE = "/etc/tare/settings.toml";

type Table = Readonly<Record<string, unknown>>;

/** Reads the files; two failed opens where there are none. Throws `E_CONFIG` with the file's name. */
export async function readSettingsFile(settings: Pick<Settings, "env">): Promise<FileSettings> {
  const table = await readSettingsTable(settings);
  const { log, debug } = table;
  return {
    ...(log === undefined ? {} : { log: logSection(log) }),
    ...(debug === undefined ? {} : { debugImage: debugSection(debug) }),
  };
}

/** All sections as they are written. */
async function readSettingsTable({ env }: Pick<Settings, "env">): Promise<Table> {
  const home = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  const system = await readFile(SYSTEM_FILE);
  return { ...system, ...(await readFile(join(home, "tare/settings.toml"))) };
}

async function readFile(path: string): Promise<Table> {
  const text = readTextIfPresent(path);
  if (text === undefined) return {};
  try {
    const { parse } = await import("smol-toml");
    const table: Table = parse(text);
    for (const name of Object.keys(table)) requireSection(name);
    if (table["log"] !== undefined) logSection(table["log"]);
    if (table["debug"] !== undefined) debugSection(table["debug"]);
    return table;
  } catch (error) {
    throw new TareError("E_CONFIG", `reading the settings \`${path}\`: ${messageOf(error).split("\n")[0] ?? ""}`, {
      hint: "docs/settings.md lists what it may say",
      cause: error,
    });
  }
}

function requireSection(name: string): void {
  if (SECTIONS.includes(name)) return;
  const near = suggest(name, SECTIONS);
  throw new TareError("E_CONFIG", `no section \`${name}\`${near ? `; did you mean \`${near}\`?` : ""}`);
}

function logSection(value: unknown): LogConfig {
  if (!isTable(value)) throw new TareError("E_CONFIG", "`log` is not a table");
  const { driver, options = {}, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new TareError("E_CONFIG", `\`log\` has no \`${other}\``);
  if (driver !== undefined && typeof driver !== "string") throw new TareError("E_CONFIG", "`log.driver` is not a text");
  if (!isTable(options)) throw new TareError("E_CONFIG", "`log.options` is not a table");
  return parseLogConfig(
    driver,
    Object.entries(options).map(([name, option]) => `${name}=${String(option)}`),
  );
}

function debugSection(value: unknown): string {
  const { image, ...others } = isTable(value) ? value : {};
  const [other] = Object.keys(others);
  if (other !== undefined) throw new TareError("E_CONFIG", `\`debug\` has no \`${other}\``);
  if (typeof image !== "string") throw new TareError("E_CONFIG", "`debug.image` is not a text");
  return image;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
