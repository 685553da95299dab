// SPDX-License-Identifier: Apache-2.0
/*
 * Settings of installers that stand in the environment or in files. Those that a dry run obeys, or that only say how
 * files are fetched, do not matter; any other may install elsewhere or otherwise, so the step runs as written.
 */
import { isNeutralForPip } from "./installer-options.ts";

/** pip's settings besides its options. */
const PIP_ONLY_SETTINGS: ReadonlySet<string> = new Set([
  "config-file",
  "require-virtualenv",
  "no-warn-script-location",
]);

/** Why a variable of pip's hinders; undefined for those that do not, and for variables of others. */
export function pipObstacle(variable: string): string | undefined {
  const [, name] = /^PIP_(.+)$/.exec(variable) ?? [];
  if (name === undefined || name === "DISABLE_PIP_VERSION_CHECK") return undefined;
  return isNeutralSetting(name.toLowerCase().replaceAll("_", "-")) ? undefined : `${variable} is set`;
}

/** Why one of pip's settings hinders, given as pip names them: `global.index-url`, `install.user`, `:env:.target`. */
export function pipSettingsObstacle(names: readonly string[]): string | undefined {
  for (const full of names) {
    const [, section = "", name = ""] = /^(.*)\.([^.]+)$/.exec(full) ?? [];
    const counts = /^(?:global|install|:env:)$/.test(section);
    if (counts && !isNeutralSetting(name)) return `pip's configuration sets \`${name}\` here`;
  }
  return undefined;
}

function isNeutralSetting(name: string): boolean {
  // `no-compile = 1` means the opposite of what it says: pip's own documentation warns of it.
  if (name === "compile" || name === "no-compile") return false;
  return isNeutralForPip(`--${name}`) || PIP_ONLY_SETTINGS.has(name);
}

/** uv's variables that only say what is resolved, or how files come. */
const UV_NEUTRAL =
  /^UV_(?:SYSTEM_PYTHON|COMPILE_BYTECODE|BREAK_SYSTEM_PACKAGES|LINK_MODE|CACHE_DIR|NO_CACHE|(?:DEFAULT_)?INDEX(?:_.*)?|EXTRA_INDEX_URL|FIND_LINKS|HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*|NO_PROGRESS|TORCH_BACKEND|PRERELEASE|RESOLUTION|EXCLUDE_NEWER|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|CONSTRAINT|OVERRIDE|NO_BUILD(?:_.*)?|NO_BINARY(?:_.*)?|ONLY_BINARY|PYTHON_DOWNLOADS|PYTHON_INSTALL_.*|TOOL_.*|KEYRING_PROVIDER|OFFLINE|NO_CONFIG|PROJECT_ENVIRONMENT|FROZEN|LOCKED|VERSION|NO_DEV|NO_MANAGED_PYTHON)$/;

/** Why `--link-mode symlink` hinders. */
export const LINKS_TO_CACHE = "what it installs would be links into uv's cache";

/** Those of `uv sync` besides: it finds or makes an environment itself, as it would without Tare. */
const SYNC_NEUTRAL =
  /^UV_(?:PYTHON|PYTHON_PREFERENCE|MANAGED_PYTHON|NO_INSTALL_(?:PROJECT|WORKSPACE|LOCAL)|NO_EDITABLE|NO_DEFAULT_GROUPS|NO_GROUP|NO_SOURCES)$/;

/** Why a variable of `uv sync` hinders. */
export function syncObstacle(environment: ReadonlyMap<string, string>): string | undefined {
  if (environment.get("UV_LINK_MODE") === "symlink") return LINKS_TO_CACHE;
  const names = [...environment.keys()].filter((name) => name.startsWith("UV_"));
  const wrong = names.find(
    (name) =>
      /^UV_(?:(?:NO|ONLY)_BINARY|NO_BUILD_ISOLATION)/.test(name) || !(UV_NEUTRAL.test(name) || SYNC_NEUTRAL.test(name)),
  );
  return wrong === undefined ? undefined : `${wrong} is set`;
}

/** What uv takes for true. */
export function isOn(value: string | undefined): boolean {
  return /^(?:1|true|yes|on|y|t)$/i.test(value ?? "");
}

/** What uv's variables decide. */
export type UvSettings =
  | {
      readonly isSystem: boolean;
      readonly compiles: boolean;
      readonly breaksSystem: boolean;
      /** A virtual environment is in force. */
      readonly hasEnvironment: boolean;
    }
  | { readonly reason: string };

/** Reads uv's variables. */
export function uvSettings(environment: ReadonlyMap<string, string>): UvSettings {
  for (const name of environment.keys()) {
    if (name.startsWith("UV_") && !UV_NEUTRAL.test(name)) return { reason: `${name} is set` };
  }
  if (environment.get("UV_LINK_MODE") === "symlink") return { reason: LINKS_TO_CACHE };
  return {
    isSystem: isOn(environment.get("UV_SYSTEM_PYTHON")),
    compiles: isOn(environment.get("UV_COMPILE_BYTECODE")),
    breaksSystem: isOn(environment.get("UV_BREAK_SYSTEM_PACKAGES")),
    hasEnvironment: (environment.get("VIRTUAL_ENV") ?? "") !== "",
  };
}
