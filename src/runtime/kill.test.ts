// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cleanupContainer } from "./cleanup.ts";
import { findRuntime } from "./find.ts";
import { whyNoContainers } from "./test-support.ts";

const reason = whyNoContainers();
if (reason !== undefined) console.log(`skipped: a killed caller: ${reason}`);

/** Starts containers one after another until it is killed; prints the store's path first. */
const CALLER = `
  const { openTestStore, testTask } = await import(${JSON.stringify(new URL("test-support.ts", import.meta.url))});
  const { runForeground } = await import(${JSON.stringify(new URL("foreground.ts", import.meta.url))});
  const store = await openTestStore();
  console.log(store.root);
  for (;;) {
    const task = testTask(store, ["sh", "-c", "sleep 4321 & sleep 0.03"]);
    await runForeground({ ...task, stdio: { onOutput() {} }, dieWithParent: true });
  }`;

describe.skipIf(reason !== undefined)("a caller killed by SIGKILL", () => {
  it.each([0, 13, 31, 47, 68, 90])("takes its build containers along, %i ms after the first start", async (delay) => {
    const caller = spawn(process.execPath, ["--input-type=module", "-e", CALLER], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const root = await new Promise<string>((resolve) =>
      caller.stdout.once("data", (data: Buffer) => resolve(data.toString().trim())),
    );
    await sleep(delay);
    caller.kill("SIGKILL");
    await new Promise((resolve) => caller.once("close", resolve));
    await until(() => processesWith(root).length === 0 && processesWith("4321").length === 0);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root);
    await removeRemains(root, caller.pid ?? 0);
    rmSync(root, { recursive: true, force: true });
  });
});

/** What recovery does: every container of the dead caller. */
async function removeRemains(root: string, pid: number): Promise<void> {
  const runtime = await findRuntime({ runRoot: join(root, "run") });
  const bundles = readdirSync(root).filter((name) => name.startsWith("bundle-"));
  for (const name of bundles) {
    const id = `tare-test-${pid}-${name.slice("bundle-".length)}`;
    await cleanupContainer(runtime, join(root, "state"), id, `/tare/${id}`);
  }
}

function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && pid !== String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word)
      );
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error("waited five seconds in vain");
}
