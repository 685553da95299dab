// SPDX-License-Identifier: Apache-2.0
/* What uv wrote as what may be kept and shared: no credentials, no paths of this machine inside the project. */
import { relative, resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";

/** No credentials, and local paths relative to the project (`folder`) instead of to uv's output (in `from`). */
export function cleaned(text: string, from: string, folder: string): string {
  return text
    .replaceAll(/([a-z+]+:\/\/)[^/@\s"]+@/g, (whole, scheme: string) => (scheme.endsWith("ssh://") ? whole : scheme))
    .replaceAll(/\b(?:url = "(file:\/\/[^"]*)"|path = "([^"]*)")/g, (_whole, url: string | undefined, path = "") => {
      const place = url === undefined ? resolvePath(from, path) : fileURLToPath(new URL(url));
      return `path = ${JSON.stringify(ofProject(place, folder))}`;
    });
}

/** Paths outside the project stay absolute: they are this machine's in any case. */
function ofProject(path: string, folder: string): string {
  if (path !== folder && !path.startsWith(`${folder}/`)) return path;
  return relative(folder, path) || ".";
}
