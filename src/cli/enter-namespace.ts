// SPDX-License-Identifier: Apache-2.0
import { entranceOf, standsOutside } from "../rootless/index.ts";
import { defined } from "./flag-value.ts";
import type { CommandContext } from "./context.ts";

/**
 * Becomes the same command line in the user's namespace: this process is replaced. Returns when it is there already, or
 * when the host gives no namespace; what needs one says so then.
 */
export async function enterNamespace({ env, stderr }: Pick<CommandContext, "env" | "stderr">): Promise<void> {
  if (!standsOutside() || process.execve === undefined) return;
  const command = [process.execPath, ...process.execArgv, "--", ...process.argv.slice(1)];
  const entrance = await entranceOf(command, defined(env)).catch(() => undefined);
  if (entrance === undefined) return;
  if (entrance.kind === "single" && entrance.isNew) stderr.write(SINGLE);
  process.execve(entrance.program, [entrance.program, ...entrance.args], entrance.env);
}

const SINGLE =
  "warning: root has lent you no ids: every file of an image belongs to you, and programs that change their user fail\n" +
  "hint: `tare system check` names the command for it\n";
