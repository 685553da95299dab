// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { InstallPlan } from "../../engine/index.ts";

/** `tare system install`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    { name: "dry-run", type: "boolean", description: "Only show what would be installed" },
    { ...FORCE_OPTION, name: "yes", short: "y" },
    { name: "force", short: "f", type: "boolean", description: "The same as --yes", hidden: true },
    PROGRESS_OPTION,
  ],
  examples: [{ line: "sudo tare system install", text: "install what `tare system check` misses" }],
  async run(context, parsed) {
    const { system } = await context.engine();
    const plan = await system.planInstall();
    context.stdout.write(planText(plan));
    if (plan.packages.length === 0 || parsed.boolean("dry-run")) return;
    const force = parsed.boolean("yes") || parsed.boolean("force");
    if (!(await confirm(context, "These packages will be installed.", force))) return;
    const mode = progressMode(parsed.string("progress"), context.env);
    await withProgress(context, { mode, title: "Installing" }, (call) => system.install(plan, call));
  },
};

function planText({ packages, commands }: InstallPlan): string {
  if (packages.length === 0) return "Nothing is missing.\n";
  const lines = commands.map((words) => `  ${words.join(" ")}\n`).join("");
  return `To install: ${packages.join(" ")}\n${lines}`;
}
