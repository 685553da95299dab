// SPDX-License-Identifier: Apache-2.0
import type { PyprojectFile } from "../python/index.ts";
import type { Dependencies } from "./types.ts";

/**
 * Where a lock of the project comes from: what `findDependencies` found, or, when that is a lock of `tare lock` or uv
 * itself, what stands behind it.
 */
export function findInputs(
  pyproject: PyprojectFile | undefined,
  behind: { readonly found: Dependencies; readonly others: Dependencies },
): Dependencies {
  const { found, others } = behind;
  if (found.files[0] === "uv.lock" && pyproject?.project) {
    return { ...others, kind: "pyproject", files: ["pyproject.toml"], reason: "pyproject.toml names them" };
  }
  if (others.kind !== "none") return others;
  const hasGroups = Object.keys(pyproject?.dependencyGroups ?? {}).length > 0;
  const hasExtras = Object.keys(pyproject?.project?.optionalDependencies ?? {}).length > 0;
  return pyproject && (hasGroups || hasExtras)
    ? { ...others, kind: "pyproject", files: ["pyproject.toml"], reason: "pyproject.toml has groups or extras" }
    : others;
}
