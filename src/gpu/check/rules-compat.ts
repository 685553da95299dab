// SPDX-License-Identifier: Apache-2.0
/* Images whose own libcuda (/usr/local/cuda/compat) comes before that of the driver, wanted or not. */
import { compareDotted, majorOf } from "../versions.ts";
import { isDataCentre, ownCuda, refusalOf } from "./driver.ts";
import { driverText } from "./subject.ts";
import type { GpuFinding } from "../types.ts";
import type { Rule, Subject } from "./subject.ts";

const FIX = "take /usr/local/cuda/compat out of LD_LIBRARY_PATH (`-e LD_LIBRARY_PATH=/usr/local/nvidia/lib64`)";

/** Errors 803 and 804, and a GPU that is not found: the library does not go with the driver or with the GPU. */
export const forcedCompatRule: Rule = (subject): readonly GpuFinding[] => {
  const { compat, env } = subject.needs;
  const isOwn = isForced(env["LD_LIBRARY_PATH"] ?? "");
  if (!compat || (!isOwn && !isChosen(subject))) return [];
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
  const message = `the libcuda of the image comes before that of the driver, but ${refused}`;
  const fix = isOwn ? FIX : "leave it out of the image: `RUN rm -r /usr/local/cuda/compat`";
  return [{ rule: "forward-compat-refused", level: "error", message, fix }];
};

/** What a container's start does by itself: the image's library is for this driver, is newer, and all GPUs may use it. */
function isChosen({ needs, target, data }: Subject): boolean {
  const own = ownCuda({ target, data });
  const { compat } = needs;
  if (!compat || own === undefined || target.driver === undefined || target.gpus.length === 0) return false;
  const isForDriver = compat.drivers.includes(majorOf(target.driver)) && compareDotted(own, compat.cuda) < 0;
  return isForDriver && target.gpus.every((gpu) => isDataCentre(gpu) === true);
}

function isForced(path: string): boolean {
  return path.split(":").some((folder) => /^\/usr\/local\/cuda(?:-[\d.]+)?\/compat\/?$/.test(folder));
}
