// SPDX-License-Identifier: Apache-2.0
import { checkRequirements } from "../require/check.ts";
import { cudaUsers } from "./subject.ts";
import type { Rule } from "./subject.ts";

/**
 * `NVIDIA_REQUIRE_*` of an image. NVIDIA asks for a driver that carries the image's CUDA; where minor-version
 * compatibility would do, the way past it is named.
 */
export const requireRule: Rule = (subject) => {
  const { needs, target, data } = subject;
  const users = cudaUsers(subject);
  const wouldRun = users.length > 0 && users.every(({ way }) => way.way === "native" || way.way === "minor");
  return checkRequirements(needs.env, target, data).map((finding) => {
    if (!wouldRun || finding.rule !== "require-unsatisfied") return finding;
    const past = "its machine code would run by minor-version compatibility: `-e NVIDIA_DISABLE_REQUIRE=1` tries it";
    return { ...finding, fix: finding.fix === undefined ? past : `${finding.fix}; ${past}` };
  });
};
