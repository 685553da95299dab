// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { basename } from "node:path";
import { readPyproject } from "../requirements/pyproject.ts";
import { readRequirements } from "../requirements/requirements-file.ts";

/**
 * URLs of indexes that a project's own files name, with the user and password that stand in them or that
 * `UV_INDEX_NAME_USERNAME` gives for a named one: for `WheelStore.useCredentials` alone, never to be shown or kept.
 */
export function projectIndexUrls(
  files: readonly string[],
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return files.flatMap((file) => {
    if (!fs.existsSync(file)) return [];
    if (basename(file) === "pyproject.toml") return pyprojectUrls(file, env);
    const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
    const { options } = readRequirements(file, { read, env, cwd: folder });
    return [
      ...(options.indexUrl === undefined ? [] : [options.indexUrl]),
      ...options.extraIndexUrls,
      ...options.findLinks,
    ];
  });
}

function pyprojectUrls(file: string, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const { uv } = readPyproject(fs.readFileSync(file, "utf8"), "pyproject.toml");
  return (uv?.indexes ?? []).map(({ name = "", url }) => {
    const key = name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
    const user = env[`UV_INDEX_${key}_USERNAME`];
    const parsed = URL.parse(url);
    if (!parsed || user === undefined || name === "") return url;
    parsed.username = encodeURIComponent(user);
    parsed.password = encodeURIComponent(env[`UV_INDEX_${key}_PASSWORD`] ?? "");
    return parsed.href;
  });
}
