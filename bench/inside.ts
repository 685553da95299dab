// SPDX-License-Identifier: Apache-2.0
/** Benchmarks that run in a network namespace of their own. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";

const INSIDE = "TARE_BENCH_INSIDE";

/** What such a benchmark is given. */
interface Place {
  /** Removed before, and after unless `keep`. */
  readonly folder: string;
  readonly keep: boolean;
}

/** Runs `prepare` here, where the network is, and then this program again where only a loopback of its own exists: there `work`. */
export async function insideOnly(
  { folder, keep }: Place,
  work: () => Promise<void>,
  prepare?: () => Promise<void>,
): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("the benchmark needs root");
  if (process.env[INSIDE] !== "1") {
    await prepare?.();
    process.exitCode = runInside();
    if (!keep) rmSync(folder, { recursive: true, force: true });
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  await work();
}

function runInside(): number {
  const words = ["--net", "--mount", "--fork", "--kill-child", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
  const { status } = spawnSync("unshare", [...words, process.execPath, ...process.argv.slice(1)], {
    stdio: "inherit",
    env: { ...cleanEnvironment(), [INSIDE]: "1" },
  });
  return status ?? 1;
}

/** Without settings of installers, engines and proxies that would reach only one side. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:PIP_|UV_|DOCKER_|BUILDKIT_|BUILDX_|TARE_|SOURCE_DATE_EPOCH$)|^(?:https?|all|no)_proxy$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
