// SPDX-License-Identifier: Apache-2.0
/* The pinned uv for tests that resolve: from the wheels that all runs share, unpacked beside them. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { fetchWheels, whyNoWheels } from "./wheels.ts";

/** Why there is no uv for tests; undefined when there is. */
export function whyNoUv(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the wheel of uv for tests is for Linux on x64";
  return whyNoWheels();
}

/** Path of uv's program, for TARE_UV. */
export async function uvProgram(): Promise<string> {
  const [wheel = ""] = await fetchWheels(["uv"]);
  const program = join(dirname(wheel), "uv-0.13.9", "uv");
  if (fs.existsSync(program)) return program;
  const partial = fs.mkdtempSync(join(dirname(wheel), ".uv-"));
  const unpacked = spawnSync("python3", ["-m", "zipfile", "-e", wheel, partial], { encoding: "utf8" });
  if (unpacked.status !== 0) throw new Error(`unpacking uv: ${unpacked.stderr}`);
  const found = fs.globSync("*.data/scripts/uv", { cwd: partial })[0] ?? "";
  fs.chmodSync(join(partial, found), 0o755);
  fs.mkdirSync(dirname(program), { recursive: true });
  fs.renameSync(join(partial, found), program);
  fs.rmSync(partial, { recursive: true, force: true });
  return program;
}

/** The environment of a program that knows one index, and nothing of this machine's settings. */
export function indexEnvironment(uv: string, home: string, indexUrl: string): Record<string, string> {
  return {
    TARE_UV: uv,
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    NETRC: join(home, ".netrc"),
    PIP_CONFIG_FILE: "/dev/null",
    PIP_FIND_LINKS: "",
    PIP_INDEX_URL: indexUrl,
    PIP_EXTRA_INDEX_URL: "",
    UV_HTTP_RETRIES: "0",
    NO_PROXY: "127.0.0.1",
  };
}
