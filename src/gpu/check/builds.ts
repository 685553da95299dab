// SPDX-License-Identifier: Apache-2.0
/* What to change to: the build of a framework that runs on a target. */
import { suitableBuilds } from "../data/suitable.ts";
import { capabilitiesOf } from "./subject.ts";
import type { SuitableBuild } from "../data/suitable.ts";
import type { GpuPackage } from "../types.ts";
import type { Subject } from "./subject.ts";

/** The build to change to, as a sentence; undefined when the tables know none. Builds that surely run come first. */
export function otherBuild({ target, data }: Pick<Subject, "target" | "data">, found: GpuPackage): string | undefined {
  const { driver } = target;
  const builds = suitableBuilds(data, {
    name: found.name,
    release: releaseOf(found.version),
    capabilities: capabilitiesOf(target),
    ...(driver === undefined ? {} : { driver }),
  });
  const best = builds.find(({ kernels }) => kernels === "machine-code") ?? builds[0];
  return best && buildText(best);
}

/** `2.7.0+cu128` is of release 2.7.0. */
function releaseOf(version: string): string {
  return version.split("+")[0] ?? version;
}

/** What to type: with pip, and with Tare. */
function buildText({ pin, indexUrl, build }: SuitableBuild): string {
  const index = indexUrl === undefined ? "" : ` --index-url ${indexUrl}`;
  const tare = /^cu\d+$/.test(build.local) ? `, or \`tare lock --accelerator ${build.local}\`` : "";
  return `take the build for CUDA ${build.cuda ?? "?"} (\`pip install ${pin}${index}\`${tare})`;
}
