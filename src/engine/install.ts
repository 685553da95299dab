// SPDX-License-Identifier: Apache-2.0
import { TareError, executeOrThrow, isRootless } from "../base/index.ts";
import type { EngineOptions, HostCheck, InstallPlan, LongCall } from "./facade.ts";
import { findProgram } from "./programs.ts";
import { withVertex } from "./listener.ts";

/** What the checks miss, as packages, and the commands that install them. Throws `E_UNSUPPORTED` without apt. */
export function planInstall(checks: readonly HostCheck[], isRoot: boolean = !isRootless()): InstallPlan {
  const lacking = checks.filter(({ status }) => status !== "ok").flatMap((check) => check.package ?? []);
  const packages = [...new Set(lacking)].sort();
  if (packages.length === 0) return { packages, commands: [] };
  if (findProgram("apt-get") === undefined) {
    throw new TareError("E_UNSUPPORTED", `installing ${packages.join(", ")}: this system has no apt-get`, {
      hint: "install the programs of these Debian packages with this system's own package manager",
      details: { packages },
    });
  }
  const commands = [
    ["apt-get", "update"],
    ["apt-get", "install", "-y", "--no-install-recommends", ...packages],
  ];
  return { packages, commands: isRoot ? commands : commands.map((words) => ["sudo", ...words]) };
}

/** Runs a plan's commands as root with the engine's environment. Throws `E_PERMISSION`, `E_PROGRAM_FAILED`. */
export async function install(plan: InstallPlan, call: LongCall, env: EngineOptions["env"]): Promise<void> {
  if (plan.packages.length === 0) return;
  if (isRootless()) {
    throw new TareError("E_PERMISSION", `installing ${plan.packages.join(", ")}: packages are installed as root`, {
      hint: `run: ${plan.commands.map((words) => words.join(" ")).join(" && ")}`,
    });
  }
  await withVertex(call, `install ${plan.packages.join(", ")}`, async (log) => {
    for (const [program = "", ...args] of plan.commands) {
      log(`+ ${[program, ...args].join(" ")}`);
      await executeOrThrow(program, args, {
        env: installEnvironment(env),
        onOutput: (_stream, data) => log(data.toString("utf8")),
        ...(call.signal ? { signal: call.signal } : {}),
      });
    }
  });
}

/** apt asks nothing and prints in one language; proxies and the like are kept. */
function installEnvironment(env: EngineOptions["env"]): Record<string, string> {
  const kept = Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return { ...Object.fromEntries(kept), DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
}
