// SPDX-License-Identifier: Apache-2.0
import type { BuildEvent, BuildListener } from "../engine/index.ts";
import type { CommandContext } from "./context.ts";
import type { Progress } from "./progress/index.ts";

/**
 * Progress of the pull that `run` and `create` may need. The renderer is loaded when a first layer moves: a run of an
 * image that is here must not pay for it, and a failed look-up prints nothing but its error. It ends with the pull, so
 * that the container has the terminal for itself.
 */
export function pullProgress(context: CommandContext): BuildListener {
  const waiting: BuildEvent[] = [];
  let progress: Progress | undefined;
  let isLoading = false;
  const apply = (event: BuildEvent): void => {
    progress?.listener(event);
    if (event.kind === "completed" || event.kind === "failed") progress?.finish();
  };
  const load = async (): Promise<void> => {
    const { createProgress } = await import("./progress/index.ts");
    const { stderr: output, now, env } = context;
    progress = createProgress({ mode: "auto", title: "Pulling", output, now, env });
    for (const event of waiting.splice(0)) apply(event);
  };
  return (event) => {
    if (progress) return apply(event);
    waiting.push(event);
    if (isLoading || (event.kind !== "status" && event.kind !== "log")) return;
    isLoading = true;
    // Nothing but its own code can fail to load, and a pull without progress is still a pull.
    load().catch(() => undefined);
  };
}
