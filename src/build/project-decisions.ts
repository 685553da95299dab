// SPDX-License-Identifier: Apache-2.0
import { megabytes } from "../base/index.ts";
import { isGpuPackage } from "../python/index.ts";
import { USER_ID } from "./project-paths.ts";
import { quoted } from "./shell-word.ts";
import type { PreparedProject } from "./project-build.ts";
import type { ProjectDecision } from "./request.ts";

/** What was decided, in five lines, each with its reason. */
export function decide(prepared: PreparedProject): readonly ProjectDecision[] {
  const { base, baseReason, target, wheels } = prepared;
  return [
    { name: "python", text: `${target.version} in ${shortName(base.name)} (${baseReason})` },
    { name: "dependencies", text: dependenciesText(prepared) },
    { name: "accelerator", text: acceleratorText(prepared) },
    {
      name: "layers",
      text: `${base.config.rootfs.diff_ids.length} of the base, ${wheels.groups.length} of packages, sources on top`,
    },
    { name: "command", text: commandText(prepared) },
    ...slimDecision(prepared),
  ];
}

function shortName(name: string): string {
  return name.replace(/^docker\.io\/library\//, "");
}

function dependenciesText({ wheels, project }: PreparedProject): string {
  const { built } = wheels;
  const inPlace = wheels.inPlace.map(({ name }) => name);
  const fetched = wheels.wheels.filter(({ name }) => !inPlace.includes(name));
  const size = fetched.reduce((sum, each) => sum + each.size, 0);
  const count = `${fetched.length} ${fetched.length === 1 ? "package" : "packages"}`;
  const others = built.filter((name) => name !== wheels.ownName);
  const parts = [
    fetched.length === 0 ? wheels.source : `${wheels.source}: ${count}, ${megabytes(size)}`,
    ...(others.length > 0 ? [`built here: ${others.join(", ")}`] : []),
    ...(inPlace.length > 0
      ? [`used where ${inPlace.length === 1 ? "it lies" : "they lie"}: ${inPlace.join(", ")}`]
      : []),
    ...(project.own?.kind === "build" ? [`the project itself is built: ${project.own.reason}`] : []),
  ];
  return parts.join("; ");
}

function commandText({ project, command, base }: PreparedProject): string {
  const { entrypoint, user } = project.config;
  const { found, notes } = command;
  const who = `as ${user ?? `user app (${USER_ID})`}`;
  const words = [...(entrypoint ?? []), ...(found?.value ?? [])].map(quoted).join(" ");
  if (found) return [`${words} (${found.reason}), ${who}`, ...notes].join("; ");
  const start = (base.config.config?.Cmd ?? []).join(" ");
  const instead = start === "" ? "" : `, so the base's \`${start}\` starts`;
  return [`none found${instead}: set \`command\` in [tool.tare]`, ...notes].join("; ");
}

/** Told only where it was asked for. */
function slimDecision({ slim }: PreparedProject): readonly ProjectDecision[] {
  const { rules, heldBack, reason } = slim;
  if (rules.length === 0 && heldBack.length === 0) return [];
  const stays = heldBack.length === 0 ? "" : `; ${heldBack.join(", ")} stay, since ${reason ?? ""}`;
  return [{ name: "slim", text: `${rules.length === 0 ? "nothing" : rules.join(", ")} left out${stays}` }];
}

/** Which builds of the deep learning frameworks, and what another choice would save. */
function acceleratorText(prepared: PreparedProject): string {
  const { wheels, accelerator: chosen } = prepared.wheels;
  const cuda = wheels.filter(({ name }) => isGpuPackage(name));
  const size = cuda.reduce((sum, each) => sum + each.size, 0);
  if (cuda.length === 0) return chosen === undefined ? "none needed" : `${chosen}: no CUDA packages`;
  const what = `${cuda.length} CUDA packages, ${megabytes(size)}`;
  if (chosen !== undefined) return `${chosen}: ${what}`;
  return `CUDA, as the index gives it: ${what}; \`--accelerator cpu\` would save ${megabytes(size)} and what torch carries for CUDA`;
}
