// SPDX-License-Identifier: Apache-2.0
import { basename, resolve } from "node:path";
import { writeFileAtomic } from "../../base/index.ts";
import { PLAN_OPTIONS } from "../build-options.ts";
import { planRequest } from "../build-request.ts";
import { planText } from "../plan-text.ts";
import { usageError } from "../usage-error.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { BuildPlan } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare plan`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [PATH | URL | -]",
  description: [
    "Shows what `tare build` would do and runs no step: for a Python project without a Dockerfile the five decisions,",
    "then the graph of steps. Packages that come as sources are built even so, since nothing else tells what they are.",
    "`--dockerfile` writes the same as a plain Dockerfile that any builder takes, with pinned requirements and their",
    "hashes, and with `-o FILE` also `FILE.dockerignore`. `--json` has `decisions` and `vertices`.",
  ].join(" "),
  count: { min: 0, max: 1 },
  options: [
    ...PLAN_OPTIONS,
    { name: "dockerfile", type: "boolean", description: "Write the equivalent plain Dockerfile of a project" },
    {
      name: "output",
      short: "o",
      type: "string",
      valueName: "file",
      complete: "file",
      description: "Where the Dockerfile goes; default: the standard output",
    },
    { name: "json", type: "boolean", description: "Print the plan as JSON" },
    PROGRESS_OPTION,
  ],
  complete: ["directory"],
  examples: [
    { line: "tare plan", text: "what a build of this folder decides and does" },
    { line: "tare plan --dockerfile -o Dockerfile", text: "leave with a Dockerfile that does the same" },
  ],
  async run(context, parsed) {
    if (parsed.given("output") && !parsed.boolean("dockerfile"))
      throw usageError("`-o` names the file of `--dockerfile`, which was not given");
    const engine = await context.engine();
    const request = { ...planRequest(context, parsed), dockerfile: parsed.boolean("dockerfile") };
    const mode = progressMode(parsed.string("progress"), context.env);
    const plan = await withProgress(context, { mode, title: "Planning" }, (call) =>
      engine.plan({ ...request, ...call }),
    );
    if (plan.dockerfile) return writeDockerfile(context, parsed, plan.dockerfile);
    const { text, vertices, decisions } = plan;
    context.stdout.write(
      parsed.boolean("json")
        ? `${JSON.stringify({ decisions: decisions ?? [], vertices }, undefined, 2)}\n`
        : planText({ text, decisions: decisions ?? [] }),
    );
  },
};

function writeDockerfile(
  context: CommandContext,
  parsed: ParsedArguments,
  { text, ignore }: NonNullable<BuildPlan["dockerfile"]>,
): void {
  const file = parsed.string("output");
  if (file === undefined || file === "-") return context.stdout.write(text);
  const path = resolve(context.cwd, file);
  writeFileAtomic(path, text, 0o644);
  writeFileAtomic(`${path}.dockerignore`, ignore, 0o644);
  context.stderr.write(`Wrote ${basename(path)} and ${basename(path)}.dockerignore\n`);
}
