// SPDX-License-Identifier: Apache-2.0
/* A containerd for one test, with a socket and data of its own and without Kubernetes' part. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A running containerd. */
export interface ContainerdPeer {
  /** Runs its client; throws with its error output. */
  ctr(...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** Why none can be started here; undefined when one can. */
export function whyNoContainerd(): string | undefined {
  if (process.getuid?.() !== 0) return "containerd needs root";
  const found = spawnSync("sh", ["-c", "command -v containerd && command -v ctr"]).status === 0;
  return found ? undefined : "containerd is not installed";
}

/** Starts one in `folder`; the caller stops it. */
export async function startContainerd(folder: string): Promise<ContainerdPeer> {
  fs.mkdirSync(folder, { recursive: true });
  const [config, address] = [join(folder, "config.toml"), join(folder, "s")];
  fs.writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
  const log = fs.openSync(join(folder, "log"), "w");
  const data = ["--root", join(folder, "data"), "--state", join(folder, "state")];
  const child = spawn("containerd", ["-c", config, "-a", address, ...data], { stdio: ["ignore", log, log] });
  fs.closeSync(log);
  const attempt = (args: readonly string[]): ReturnType<typeof spawnSync> =>
    spawnSync("ctr", ["-a", address, "-n", "tare", ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  for (let tries = 0; tries < 100 && attempt(["version"]).status !== 0; tries += 1) await sleep(200);
  if (attempt(["version"]).status !== 0) throw new Error("containerd did not start");
  return {
    ctr: (...args) => {
      const { status, stdout, stderr } = attempt(args);
      if (status !== 0) throw new Error(`ctr ${args.join(" ")}: ${String(stderr)}`);
      return String(stdout);
    },
    stop: async () => {
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await Promise.race([gone, sleep(5000)]);
      if (child.exitCode === null) child.kill("SIGKILL");
    },
  };
}
