// SPDX-License-Identifier: Apache-2.0
/*
 * Settings of the user and of the machine: `settings.json` in `$XDG_CONFIG_HOME/tare` (`~/.config/tare`), else in
 * `/etc/tare`. The first file that has a setting counts.
 */
import { homedir } from "node:os";
import { isIP } from "node:net";
import { isAbsolute, join } from "node:path";
import { TareError, isTareError, messageOf, readTextIfPresent, suggest } from "../base/index.ts";
import { parseLogConfig } from "../options/index.ts";
import type { LogConfig } from "../options/index.ts";
import type { Settings } from "./settings.ts";

const LOG_OPTION = "log.options.";
/** A name that ends in a dot stands for all that begin with it. */
const CDI_DIRECTORIES = "cdi.directories.";
const KNOWN: readonly string[] = ["publish.address", "log.driver", "debug.image", LOG_OPTION, CDI_DIRECTORIES];
const DEFAULT_ADDRESS = "127.0.0.1";

/** `publish.address`: where ports are published that name no address. Throws `E_SETTINGS` with the file. */
export function publishAddress({ env }: Pick<Settings, "env">): string {
  const { path, value } = firstSetting(env, "publish.address") ?? { path: "", value: DEFAULT_ADDRESS };
  if (isIP(value) !== 0) return value;
  throw wrong(path, `\`publish.address\` is \`${value}\`, which is no address`, "for example 0.0.0.0 or 127.0.0.1");
}

/** `debug.image`: the image with the tools of `tare debug`. Throws `E_SETTINGS`. */
export function debugImage({ env }: Pick<Settings, "env">): string | undefined {
  return firstSetting(env, "debug.image")?.value;
}

function firstSetting(
  env: Settings["env"],
  name: string,
): { readonly path: string; readonly value: string } | undefined {
  for (const path of files(env)) {
    const text = readTextIfPresent(path);
    const value = text === undefined ? undefined : settingIn(path, text, name);
    if (value !== undefined) return { path, value };
  }
  return undefined;
}

/** `log.driver` and `log.options`: how the output of containers is kept that say nothing. Throws `E_SETTINGS`. */
export function logDefaults({ env }: Pick<Settings, "env">): LogConfig | undefined {
  for (const path of files(env)) {
    const text = readTextIfPresent(path);
    const found = text === undefined ? [] : Object.entries(settingsIn(path, text));
    const driver = found.find(([name]) => name === "log.driver")?.[1];
    const options = found.filter(([name]) => name.startsWith(LOG_OPTION));
    if (driver === undefined && options.length === 0) continue;
    const words = options.map(([name, value]) => `${name.slice(LOG_OPTION.length)}=${String(value)}`);
    try {
      return parseLogConfig(driver === undefined ? undefined : String(driver), words);
    } catch (error) {
      throw wrong(path, messageOf(error), isTareError(error) ? error.hint : undefined);
    }
  }
  return undefined;
}

/**
 * `cdi.directories`: folders with CDI specifications, the last wins; an empty text is none, so that `[""]` is no folder.
 * Throws `E_SETTINGS`.
 */
export function cdiDirectoriesSetting({ env }: Pick<Settings, "env">): readonly string[] | undefined {
  for (const path of files(env)) {
    const text = readTextIfPresent(path);
    const found = text === undefined ? [] : Object.entries(settingsIn(path, text));
    const folders = found.filter(([name]) => name.startsWith(CDI_DIRECTORIES)).map(([, value]) => value);
    const wanted = folders.map((value) => {
      if (typeof value === "string" && (value === "" || isAbsolute(value))) return value;
      throw wrong(path, `\`cdi.directories\` has \`${String(value)}\`, which is no absolute path`);
    });
    if (wanted.length > 0) return wanted.filter((folder) => folder !== "");
  }
  return undefined;
}

function files(env: Settings["env"]): readonly string[] {
  const own = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return [own, "/etc"].map((folder) => join(folder, "tare", "settings.json"));
}

/** Settings may be nested (`{"publish": {"address": …}}`) or written with a dot. */
function settingIn(path: string, text: string, name: string): string | undefined {
  const value = settingsIn(path, text)[name];
  if (value === undefined || typeof value === "string") return value;
  throw wrong(path, `\`${name}\` is not text`);
}

/** All settings of a file, their names written with dots. */
function settingsIn(path: string, text: string): Readonly<Record<string, unknown>> {
  const all = flat(parsed(path, text), "");
  for (const key of Object.keys(all)) {
    if (KNOWN.some((known) => (known.endsWith(".") ? key.startsWith(known) : key === known))) continue;
    const near = suggest(key, KNOWN);
    throw wrong(
      path,
      `unknown setting \`${key}\``,
      near ? `did you mean \`${near}\`?` : `settings: ${KNOWN.join(", ")}`,
    );
  }
  return all;
}

function parsed(path: string, text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  } catch {
    // The same message as for another kind of document.
  }
  throw wrong(path, "not a JSON object");
}

function flat(value: object, prefix: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]: [string, unknown]) =>
      typeof each === "object" && each !== null
        ? Object.entries(flat(each, `${prefix}${key}.`))
        : [[prefix + key, each]],
    ),
  );
}

function wrong(path: string, why: string, hint?: string): TareError {
  return new TareError("E_SETTINGS", `reading the settings \`${path}\`: ${why}`, hint === undefined ? {} : { hint });
}
