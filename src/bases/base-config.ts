// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_EPOCH, digestOfValue } from "../base/index.ts";
import type { ContainerConfig, ImageConfig } from "../oci/index.ts";
import type { ResolvedPackage } from "./apt.ts";
import type { Recipe } from "./recipe.ts";
import { ociArchitecture } from "./suites.ts";

/** Annotation: how many packages the base consists of. */
export const COUNT_ANNOTATION = "dev.tare.base.packages.count";
/** Annotation: digest of the recipe that the base was assembled by. */
export const RECIPE_ANNOTATION = "dev.tare.base.recipe";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The config of a base: what a user of the official image of that name expects. */
export function baseConfig(
  recipe: Recipe,
  architecture: string,
  packages: readonly ResolvedPackage[],
): Omit<ImageConfig, "rootfs"> {
  const created = new Date(DEFAULT_EPOCH * 1000).toISOString().replace(".000", "");
  return {
    created,
    ...ociArchitecture(architecture),
    os: "linux",
    config: containerConfig(recipe, packages),
    history: [
      {
        created,
        created_by: `tare base ${recipe.suite.distribution}:${recipe.suite.name}${recipe.slim ? "-slim" : ""}`,
        comment: `${packages.length} packages, list ${digestOfValue(packages).slice(0, 19)}`,
      },
    ],
  };
}

function containerConfig(recipe: Recipe, packages: readonly ResolvedPackage[]): ContainerConfig {
  if (recipe.python === undefined) {
    return { Env: [PATH], Cmd: [recipe.suite.distribution === "debian" ? "bash" : "/bin/bash"] };
  }
  const version = pythonVersion(recipe.python, packages);
  return { Env: [PATH, "LANG=C.UTF-8", `PYTHON_VERSION=${version}`], Cmd: ["python3"] };
}

/** Upstream's version in Debian's: `3.11.2-6+deb12u6` → `3.11.2`. */
function pythonVersion(minor: string, packages: readonly ResolvedPackage[]): string {
  const version = packages.find((entry) => entry.name === `python${minor}`)?.version ?? minor;
  return /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? minor;
}

/** Annotations of the manifest: what the base consists of. */
export function packageAnnotations(
  recipe: Recipe,
  packages: readonly ResolvedPackage[],
): Readonly<Record<string, string>> {
  return {
    "dev.tare.base.packages": packages.map((entry) => `${entry.name}=${entry.version}`).join(" "),
    [COUNT_ANNOTATION]: String(packages.length),
    "dev.tare.base.suite": recipe.suite.name,
  };
}
