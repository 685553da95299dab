// SPDX-License-Identifier: Apache-2.0
/* What builds of packages fetch from an index: uv, and a backend; brought once, for indexes of tests. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { UV_VERSION } from "../../src/python/index.ts";
import { TEST_CACHE } from "./python-base.ts";

const TOOLS: readonly string[] = [`uv==${UV_VERSION}`, "setuptools==80.9.0"];

/** Paths of their wheels. Throws when pip can't fetch them. */
export function fetchTools(): readonly string[] {
  const folder = join(TEST_CACHE, "tools");
  const list = (): readonly string[] => (fs.existsSync(folder) ? fs.readdirSync(folder) : []);
  const has = (tool: string): boolean => list().some((name) => name.startsWith(`${tool.replace("==", "-")}-`));
  const missing = TOOLS.filter((tool) => !has(tool));
  if (missing.length > 0) {
    const args = ["-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", folder, ...missing];
    const pip = spawnSync("python3", args, { encoding: "utf8" });
    if (pip.status !== 0) throw new Error(`pip download: ${pip.stderr}`);
  }
  return list()
    .filter((name) => name.endsWith(".whl"))
    .map((name) => join(folder, name));
}
