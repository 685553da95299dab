// SPDX-License-Identifier: Apache-2.0
/*
 * Settings of the user and of the machine: `settings.json` in `$XDG_CONFIG_HOME/tare` (`~/.config/tare`), else in
 * `/etc/tare`. The first file that has a setting counts.
 */
import { homedir } from "node:os";
import { isIP } from "node:net";
import { join } from "node:path";
import { TareError, readTextIfPresent, suggest } from "../base/index.ts";
import type { Settings } from "./settings.ts";

const KNOWN: readonly string[] = ["publish.address"];
const DEFAULT_ADDRESS = "127.0.0.1";

/** `publish.address`: where ports are published that name no address. Throws `E_SETTINGS` with the file. */
export function publishAddress({ env }: Pick<Settings, "env">): string {
  for (const path of files(env)) {
    const text = readTextIfPresent(path);
    const found = text === undefined ? undefined : settingIn(path, text, "publish.address");
    if (found === undefined) continue;
    if (isIP(found) !== 0) return found;
    throw wrong(path, `\`publish.address\` is \`${found}\`, which is no address`, "for example 0.0.0.0 or 127.0.0.1");
  }
  return DEFAULT_ADDRESS;
}

function files(env: Settings["env"]): readonly string[] {
  const own = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return [own, "/etc"].map((folder) => join(folder, "tare", "settings.json"));
}

/** Settings may be nested (`{"publish": {"address": …}}`) or written with a dot. */
function settingIn(path: string, text: string, name: string): string | undefined {
  const all = flat(parsed(path, text), "");
  for (const key of Object.keys(all)) {
    if (KNOWN.includes(key)) continue;
    const near = suggest(key, KNOWN);
    throw wrong(
      path,
      `unknown setting \`${key}\``,
      near ? `did you mean \`${near}\`?` : `settings: ${KNOWN.join(", ")}`,
    );
  }
  const value = all[name];
  if (value === undefined || typeof value === "string") return value;
  throw wrong(path, `\`${name}\` is not text`);
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
