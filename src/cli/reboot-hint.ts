// SPDX-License-Identifier: Apache-2.0
import type { Engine } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";

/** Says once per store, with the first policy that is meant to survive a reboot, what that takes. */
export async function hintAtReboot(context: CommandContext, engine: Engine, policy: string | undefined): Promise<void> {
  if (policy !== "always" && policy !== "unless-stopped") return;
  if (!(await engine.boot.shouldMention())) return;
  context.stderr.write("hint: `tare system service install` makes it come back after a reboot too (said once)\n");
}
