// SPDX-License-Identifier: Apache-2.0
import { acceleratorOf } from "./project-wheels.ts";
import { megabytes } from "./project-stage.ts";
import type { PreparedProject } from "./project-build.ts";
import type { ProjectDecision } from "./request.ts";

/** What was decided, in five lines, each with its reason. */
export function decide(prepared: PreparedProject): readonly ProjectDecision[] {
  const { project, base, baseReason, target, wheels } = prepared;
  const size = wheels.wheels.reduce((sum, each) => sum + each.size, 0);
  const built = wheels.built.length > 0 ? `; built here: ${wheels.built.join(", ")}` : "";
  const count = wheels.wheels.length;
  const { entrypoint } = project.config;
  const words = [...(entrypoint ?? []), ...(project.command?.value ?? [])];
  const command =
    words.length > 0
      ? `${words.join(" ")} (${project.command?.reason ?? ""})`
      : "none found: set `command` in [tool.tare]";
  return [
    { name: "python", text: `${target.version} in ${base.name.replace(/^docker\.io\/library\//, "")} (${baseReason})` },
    {
      name: "dependencies",
      text: count === 0 ? wheels.source : `${wheels.source}: ${count} packages, ${megabytes(size)}${built}`,
    },
    { name: "accelerator", text: acceleratorText(prepared) },
    {
      name: "layers",
      text: `${base.config.rootfs.diff_ids.length} of the base, ${wheels.groups.length} of packages, sources on top`,
    },
    { name: "command", text: `${command}, as ${project.config.user ?? "user app (1000)"}` },
  ];
}

/** Which builds of the deep learning frameworks, and what another choice would save. */
function acceleratorText(prepared: PreparedProject): string {
  const { wheels } = prepared.wheels;
  const chosen = acceleratorOf(prepared);
  const cuda = wheels.filter(({ name }) => /^(?:nvidia-|triton$|pytorch-triton)/.test(name));
  const size = cuda.reduce((sum, each) => sum + each.size, 0);
  if (cuda.length === 0) return chosen === undefined ? "none needed" : `${chosen}: no CUDA packages`;
  const what = `${cuda.length} CUDA packages, ${megabytes(size)}`;
  if (chosen !== undefined && chosen !== "auto") return `${chosen}: ${what}`;
  return `CUDA, as the index gives it: ${what}; \`--accelerator cpu\` would save them`;
}
