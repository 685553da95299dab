// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerHandle } from "./control.ts";
import type { OciProcess } from "./spec-types.ts";
import { runtimeCommand, specText } from "./task.ts";

/**
 * Writes `process.json` into `folder` and returns the command line that runs this process in a container as often as
 * wanted. The runtime leaves the process's pid (of this host) in `folder/pid` and its own complaints in `folder/log`.
 */
export function execCommand(
  { runtime, stateRoot, id }: ContainerHandle,
  process: OciProcess,
  folder: string,
  options: readonly "--detach"[] = [],
): readonly string[] {
  const description = join(folder, "process.json");
  writeFileSync(description, specText(process), { mode: 0o600 });
  const global = runtimeCommand(runtime, stateRoot, join(folder, "log"));
  return [...global, "exec", "--process", description, "--pid-file", join(folder, "pid"), ...options, id];
}
