// SPDX-License-Identifier: Apache-2.0
/* Images that put the libcuda of their own (/usr/local/cuda/compat) before that of the driver, wanted or not. */
import { compareDotted } from "../versions.ts";
import { ownCuda, refusalOf } from "./driver.ts";
import { driverText } from "./subject.ts";
import type { GpuFinding } from "../types.ts";
import type { Rule } from "./subject.ts";

const FIX = "take /usr/local/cuda/compat out of LD_LIBRARY_PATH (`-e LD_LIBRARY_PATH=/usr/local/nvidia/lib64`)";

/** Errors 803 and 804, and a GPU that is not found: the library does not go with the driver or with the GPU. */
export const forcedCompatRule: Rule = (subject): readonly GpuFinding[] => {
  const { compat, env } = subject.needs;
  if (!compat || !isForced(env["LD_LIBRARY_PATH"] ?? "")) return [];
  const own = ownCuda(subject);
  if (own !== undefined && compareDotted(own, compat.cuda) > 0) {
    return [
      {
        rule: "stale-compat",
        level: "error",
        message: `the image puts its CUDA ${compat.cuda} compat libraries before those of ${driverText(subject)}, which are newer (error 803)`,
        fix: FIX,
      },
    ];
  }
  const refused = refusalOf(subject, compat.cuda);
  if (refused === undefined) return [];
  const message = `LD_LIBRARY_PATH of the image puts its own libcuda first, but ${refused}`;
  return [{ rule: "forward-compat-refused", level: "error", message, fix: FIX }];
};

function isForced(path: string): boolean {
  return path.split(":").some((folder) => /^\/usr\/local\/cuda(?:-[\d.]+)?\/compat\/?$/.test(folder));
}
