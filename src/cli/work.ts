// SPDX-License-Identifier: Apache-2.0
import { createProgress } from "./progress/index.ts";
import type { LongCall } from "../engine/index.ts";
import type { OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { ProgressMode } from "./progress/index.ts";

/** `--progress`. */
export const PROGRESS_OPTION: OptionSpec = {
  name: "progress",
  type: "string",
  default: "auto",
  choices: ["auto", "tty", "plain", "json", "rawjson", "quiet", "none"],
  description: "How progress is shown",
};

/** What is being done, for the renderer's heading. */
export interface WorkShown {
  readonly mode: ProgressMode;
  /** `Building`, `Assembling`, `Loading` … */
  readonly title: string;
}

/** Does long work with its progress on stderr; on a failure the failing step's output is printed last. */
export async function withProgress<T>(
  context: CommandContext,
  shown: WorkShown,
  work: (call: LongCall) => Promise<T>,
): Promise<T> {
  const progress = createProgress({ ...shown, output: context.stderr, now: context.now, env: context.env });
  try {
    const result = await work({ listener: progress.listener, signal: context.signal });
    progress.finish();
    return result;
  } catch (error) {
    progress.fail();
    throw error;
  }
}

/** The mode that the option or `BUILDKIT_PROGRESS` asks for. */
export function progressMode(option: string | undefined, env: CommandContext["env"]): ProgressMode {
  const wanted = option === undefined || option === "auto" ? (env["BUILDKIT_PROGRESS"] ?? "auto") : option;
  if (wanted === "json") return "rawjson";
  if (wanted === "none") return "quiet";
  return wanted === "tty" || wanted === "plain" || wanted === "rawjson" || wanted === "quiet" ? wanted : "auto";
}
