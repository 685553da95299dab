// SPDX-License-Identifier: Apache-2.0
import { checkRestartPolicy, parseRestartPolicy } from "../options/index.ts";
import { oneValue } from "./flag-value.ts";
import type { RestartPolicy } from "../options/index.ts";
import type { OptionSpec } from "./command.ts";
import type { ParsedArguments } from "./parsed.ts";

/** `--restart` of `run`, `create` and `update`. */
export const RESTART_OPTION: OptionSpec = {
  name: "restart",
  type: "string",
  valueName: "policy",
  description: "When it is started again by itself: `no`, `always`, `on-failure[:times]`, `unless-stopped`",
};

/** The policy asked for, if any. Throws `E_USAGE` with Docker's texts. */
export function restartPolicy(parsed: ParsedArguments): RestartPolicy | undefined {
  const policy = oneValue(parsed, RESTART_OPTION.name, parseRestartPolicy);
  return policy && checkRestartPolicy(policy);
}
