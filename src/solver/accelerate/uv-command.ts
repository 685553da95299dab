// SPDX-License-Identifier: Apache-2.0
/* `uv pip install`, read as `pip install` is; and the way to `uv sync`. */
import { WHY_NOT, localTarget, splitOption } from "./installer-options.ts";
import { LINKS_TO_CACHE, uvSettings } from "./installer-settings.ts";
import { readUvSync } from "./uv-sync-command.ts";
import type { InstallerReading } from "./installer-command.ts";

/** Options of `uv pip install` that change nothing about what is installed where. */
const UV_WITH_VALUE: ReadonlySet<string> = new Set([
  "-r",
  "--requirement",
  "--requirements",
  "-c",
  "--constraint",
  "--constraints",
  "-b",
  "--build-constraints",
  "-i",
  "--index-url",
  "--index",
  "--default-index",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--index-strategy",
  "--keyring-provider",
  "--allow-insecure-host",
  "--resolution",
  "--prerelease",
  "--exclude-newer",
  "--link-mode",
  "--cache-dir",
  "--only-binary",
  "--no-binary",
  "--torch-backend",
  "--extra",
  "--group",
  "--color",
]);

/** Those that choose where files come from. */
const UV_INDEX: ReadonlySet<string> = new Set([
  "-i",
  "--index-url",
  "--index",
  "--default-index",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--index-strategy",
  "--keyring-provider",
  "--allow-insecure-host",
  "--prerelease",
  "--exclude-newer",
  "--torch-backend",
]);

const UV_FLAGS: ReadonlySet<string> = new Set([
  "--system",
  "--no-cache",
  "-n",
  "--no-index",
  "--no-deps",
  "-U",
  "--upgrade",
  "--require-hashes",
  "--no-verify-hashes",
  "--compile-bytecode",
  "--no-compile-bytecode",
  "--break-system-packages",
  "--no-build",
  "--no-build-isolation",
  "-q",
  "--quiet",
  "-v",
  "--verbose",
  "--no-progress",
  "--native-tls",
  "--offline",
  "--all-extras",
  "--no-config",
]);

/** Reads the words after `uv`. */
export function readUv(
  program: string,
  words: readonly string[],
  environment: ReadonlyMap<string, string>,
): InstallerReading {
  if (words[0] === "sync") return readUvSync(program, words.slice(1), environment);
  if (words[0] !== "pip" || words[1] !== "install") return undefined;
  const settings = uvSettings(environment);
  if ("reason" in settings) return settings;
  const options = uvOptions(words.slice(2));
  if ("reason" in options) return options;
  const { hasTarget, indexOptions } = options;
  if (!hasTarget) return { reason: "nothing to install is named" };
  const isSystem = options.isSystem || settings.isSystem;
  if (!isSystem && !settings.hasEnvironment) {
    return { reason: "without --system, uv installs into a virtual environment" };
  }
  const compile = options.compile || settings.compiles;
  const breaksSystem = words.includes("--break-system-packages") || settings.breaksSystem;
  return { command: { tool: "uv", program: [program], compile, indexOptions, breaksSystem, isSystem } };
}

type UvOptions =
  | {
      readonly compile: boolean;
      readonly hasTarget: boolean;
      readonly isSystem: boolean;
      readonly indexOptions: readonly string[];
    }
  | { readonly reason: string };

function uvOptions(words: readonly string[]): UvOptions {
  let compile = false;
  let hasTarget = false;
  let isSystem = false;
  const indexOptions: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [name = "", value] = word.startsWith("--") ? splitOption(word) : [word.slice(0, 2), undefined];
    if (!word.startsWith("-")) {
      const reason = localTarget(word);
      if (reason !== undefined) return { reason };
      hasTarget = true;
    } else if (UV_WITH_VALUE.has(name)) {
      const hasOwnWord = value === undefined && name === word;
      if (name === "--link-mode" && (value ?? words[at + 1]) === "symlink") return { reason: LINKS_TO_CACHE };
      if (/^(?:-r|--requirements?)$/.test(name)) hasTarget = true;
      if (UV_INDEX.has(name)) indexOptions.push(...words.slice(at, hasOwnWord ? at + 2 : at + 1));
      if (hasOwnWord) at += 1;
    } else if (UV_FLAGS.has(word)) {
      isSystem ||= word === "--system";
      compile ||= word === "--compile-bytecode";
    } else return { reason: WHY_NOT.get(name) ?? `the option ${name} is not known to leave wheels as they are` };
  }
  return { compile, hasTarget, isSystem, indexOptions };
}
