// SPDX-License-Identifier: Apache-2.0
export { DEBUGPY_TARGET, debuggedStart } from "./debugpy.ts";
export type { DebuggedStart, DebuggerPlace, PlannedStart } from "./debugpy.ts";
export { watchedRun } from "./watched-run.ts";
export type { WatchEvent } from "./watched-run.ts";
export { pruneInjected } from "./prune-injected.ts";
export { NOTEBOOK_TARGET, notebookStart } from "./notebook.ts";
export { busyboxTools } from "./toolbox.ts";
export { launchEntry } from "./launch-json.ts";
export type { LaunchEntry, SourceMapping } from "./launch-json.ts";
