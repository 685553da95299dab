// SPDX-License-Identifier: Apache-2.0
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { BootService } from "../../engine/index.ts";

/** `tare system service`. */
export const command: CommandBody = {
  usage: "[OPTIONS] install|uninstall|status",
  description:
    "Containers with `--restart always` or `unless-stopped` come back after a reboot when systemd calls `tare system boot`. For root that is a service of the machine, else one of the user.",
  count: { min: 1, max: 1 },
  options: [{ name: "json", type: "boolean", description: "Print what there is as JSON" }],
  complete: ["none"],
  examples: [
    { line: "sudo tare system service install", text: "from now on they survive a reboot" },
    { line: "tare system service status", text: "do they? (exit code 1: no)" },
  ],
  async run(context, parsed) {
    const action = ACTIONS[parsed.word(0)];
    if (!action) throw usageError(`unknown action \`${parsed.word(0)}\``, "one of install, uninstall, status");
    const service = await action(context);
    const text = parsed.boolean("json") ? JSON.stringify(service, undefined, 2) : serviceText(service);
    context.stdout.write(`${text}\n`);
    return parsed.word(0) === "status" && !(service.isInstalled && service.isEnabled) ? 1 : 0;
  },
};

const ACTIONS: Readonly<Record<string, (context: CommandContext) => Promise<BootService>>> = {
  install: async (context) => (await context.engine()).boot.install(thisProgram()),
  uninstall: async (context) => (await context.engine()).boot.uninstall(),
  status: async (context) => (await context.engine()).boot.service(),
};

/** By absolute paths, as systemd wants it. */
function thisProgram(): readonly string[] {
  return [process.execPath, ...process.execArgv, "--", process.argv[1] ?? ""];
}

function serviceText(service: BootService): string {
  const { unit, path, scope, hasSystemd, isInstalled, isEnabled, lingers } = service;
  if (!isInstalled) {
    const how = hasSystemd ? "`tare system service install` installs it" : "systemd does not run here";
    return `${unit} is not installed: containers do not come back after a reboot (${how}).`;
  }
  const state = isEnabled ? "enabled" : "not enabled";
  const late = "It starts at your first log-in; `loginctl enable-linger` makes that the boot.";
  return [`${unit} (${path}) is installed and ${state}.`, ...(scope === "user" && !lingers ? [late] : [])].join("\n");
}
