// SPDX-License-Identifier: Apache-2.0
import type { CdiEdits } from "../types.ts";

type SearchPaths = NonNullable<CdiEdits["searchPaths"]>;

/** The variables with the folders that they lack in front; a variable that is not there gets them alone. */
export function withSearchPaths(env: readonly string[], paths: SearchPaths): readonly string[] {
  return Object.entries(paths).reduce(withFolders, env);
}

function withFolders(env: readonly string[], [name, folders]: readonly [string, readonly string[]]): readonly string[] {
  const at = env.findIndex((entry) => entry.startsWith(`${name}=`));
  const value = env[at]?.slice(name.length + 1) ?? "";
  const present = value === "" ? [] : value.split(":");
  const all = [...folders.filter((folder) => !present.includes(folder)), ...present];
  const entry = `${name}=${all.join(":")}`;
  return at < 0 ? [...env, entry] : env.with(at, entry);
}

/** Folders of several edits, in their order. */
export function joinSearchPaths(parts: readonly SearchPaths[]): SearchPaths {
  const names = [...new Set(parts.flatMap((paths) => Object.keys(paths)))];
  return Object.fromEntries(names.map((name) => [name, [...new Set(parts.flatMap((paths) => paths[name] ?? []))]]));
}
