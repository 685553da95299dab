// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "./processes.ts";

/** A process that keeps a network namespace until it is killed; a script sets up what it is to have. */
export async function holdNetworkNamespace(
  script: string,
  ...flags: readonly string[]
): Promise<ChildProcess & { readonly pid: number }> {
  const words = ["--net", ...flags, "sh", "-c", `${script}\nexec sleep 100000`];
  const child = spawn("unshare", words, { stdio: "ignore" });
  const { pid } = child;
  if (pid === undefined) throw new Error("unshare did not start");
  while (textOf(`/proc/${pid}/comm`).trim() !== "sleep") {
    if (child.exitCode !== null) throw new Error(`setting up a network namespace: exit code ${child.exitCode}`);
    await sleep(20);
  }
  return Object.assign(child, { pid });
}
