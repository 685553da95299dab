// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory, execute, removeTree } from "../base/index.ts";
import { cgroupMode } from "./cgroup.ts";
import { cleanupContainer } from "./cleanup.ts";
import type { OciRuntime } from "./find.ts";
import { namespaceLimits } from "./namespace-limits.ts";
import { buildSpec } from "./spec.ts";
import { runtimeCommand } from "./task.ts";

const MISSING = "/tare-probe-has-no-such-program";

/**
 * Whether a runtime can make a container here: it is given an empty root file system and must get as far as not finding
 * the program. Returns undefined when it works, else its complaint. About 20 ms.
 */
export async function probeRuntime(runtime: OciRuntime, runRoot: string): Promise<string | undefined> {
  ensureDirectory(runRoot);
  const bundle = mkdtempSync(join(runRoot, "probe-"));
  const id = `tare-probe-${process.pid}-${Date.now().toString(36)}`;
  const cgroupsPath = `/tare/${id}`;
  try {
    ensureDirectory(join(bundle, "rootfs"), 0o755);
    writeFileSync(join(bundle, "config.json"), JSON.stringify(probeSpec(join(bundle, "rootfs"), cgroupsPath)));
    const [program = "", ...global] = runtimeCommand(runtime, join(bundle, "state"));
    const result = await execute(program, [...global, "run", "--bundle", bundle, id]);
    if (result.stderr.includes(MISSING)) return undefined;
    return result.stderr.trim().split("\n").at(-1) || `exit code ${result.code}`;
  } finally {
    await cleanupContainer(runtime, join(bundle, "state"), id, cgroupsPath);
    removeTree(bundle);
  }
}

function probeSpec(rootfs: string, cgroupsPath: string): ReturnType<typeof buildSpec> {
  return buildSpec({
    mode: "build",
    args: [MISSING],
    env: ["PATH=/"],
    cwd: "/",
    user: { uid: 0, gid: 0 },
    rootfs,
    network: "none",
    cgroupMode: cgroupMode(),
    cgroupsPath,
    namespace: namespaceLimits(),
  });
}
