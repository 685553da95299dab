// SPDX-License-Identifier: Apache-2.0
import { forcedCompatRule } from "./rules-compat.ts";
import { driverRule } from "./rules-driver.ts";
import { generationRule, toolkitRule } from "./rules-gpu.ts";
import { cpuBuildRule, muslRule, nothingRule, rocmRule, vendorRule } from "./rules-image.ts";
import { kernelsRule } from "./rules-kernels.ts";
import { cudnnRule, librariesRule, majorsRule } from "./rules-libraries.ts";
import { requireRule } from "./rules-require.ts";
import { sorted } from "./sorted.ts";
import { withTables } from "./with-tables.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuFinding, GpuTarget, ImageNeeds } from "../types.ts";
import type { Rule } from "./subject.ts";

/** Whether a machine's driver knows its GPUs: all that can be said without an image. Pure. */
export function checkTarget(target: GpuTarget, data: GpuData): readonly GpuFinding[] {
  const needs = { image: "", env: {}, packages: [] };
  return target.vendor === "nvidia" ? sorted(generationRule({ target, needs, data })) : [];
}

/** What holds for every maker's GPUs, then what is NVIDIA's own. */
const ALL: readonly Rule[] = [vendorRule, cpuBuildRule, nothingRule];
const AMD: readonly Rule[] = [rocmRule];
const NVIDIA: readonly Rule[] = [
  generationRule,
  driverRule,
  requireRule,
  forcedCompatRule,
  kernelsRule,
  toolkitRule,
  cudnnRule,
  librariesRule,
  majorsRule,
  muslRule,
];

/**
 * Compares what an image needs with what a machine has. Pure; errors first. What neither the wheels nor the tables tell
 * is `unknown`, and nothing is guessed.
 */
export function checkImage(target: GpuTarget, needs: ImageNeeds, data: GpuData): readonly GpuFinding[] {
  const rules = [...ALL, ...(target.vendor === "nvidia" ? NVIDIA : []), ...(target.vendor === "amd" ? AMD : [])];
  const subject = { target, needs: { ...needs, packages: withTables(needs.packages, data) }, data };
  return sorted(rules.flatMap((rule) => rule(subject)));
}
