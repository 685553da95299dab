// SPDX-License-Identifier: Apache-2.0
/* Memory of builds and pushes does not grow with what is built: a wheel of half a gigabyte with 12,000 files. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addFakePython } from "../support/fake-python.ts";
import { PROGRAM, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";
import { fetchWheels, testWheel, whyNoWheels } from "../support/wheels.ts";

const MOST = 250e6;
const missing = process.platform === "linux" ? (whyNoRegistry() ?? whyNoWheels()) : "needs /proc";
if (missing !== undefined) console.log(`skipped: memory: ${missing}`);

let world: ProgramWorld;
let registry: RegistryPeer;
beforeAll(async () => {
  if (missing !== undefined) return;
  world = openProgramWorld("memory");
  registry = await startRegistry(join(world.folder, "registry"));
  addFakePython(world);
  const [path = ""] = await fetchWheels(["torch"]);
  const { version, sha256 } = testWheel("torch");
  const lock = [
    'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]',
    `name = "torch"\nversion = "${version}"`,
    `wheels = [{ path = "${basename(path)}", hashes = { sha256 = "${sha256}" } }]\n`,
  ];
  const settings = '[project]\nname = "app"\nversion = "1"\n[tool.tare]\nbase = "pybase"\n';
  const sources = { "main.py": "import torch\n", ".dockerignore": "*.whl\n", "pyproject.toml": settings };
  const project = world.files("project", { ...sources, "pylock.toml": lock.join("\n") });
  fs.symlinkSync(path, join(project, basename(path)));
}, 900_000);
afterAll(async () => {
  if (missing !== undefined) return;
  await registry.stop();
  world.close();
});

/** Runs the program; the most memory that it had, in bytes. The script that starts it becomes it. */
async function peakOf(...words: readonly string[]): Promise<number> {
  const child = spawn(PROGRAM, words, { env: { ...world.env, TARE_SYNC: "none" }, cwd: world.folder });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  child.stdout.resume();
  const watch = watching(child);
  const code = await new Promise((done) => child.once("close", done));
  if (code !== 0) throw new Error(`tare ${words.join(" ")}: ${errors}`);
  return watch();
}

function watching(child: ChildProcess): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = fs.readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
      peak = Math.max(peak, Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It has ended.
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

describe.skipIf(missing !== undefined)("a wheel of half a gigabyte", () => {
  it("is built, pushed and copied in less than 250 MB", async () => {
    const project = join(world.folder, "project");
    const image = `${registry.host}/memory:1`;
    const build = await peakOf("build", "-q", "--bytecode", "none", "-t", image, project);
    const push = await peakOf("push", "-q", image);
    const out = await peakOf("copy", "-q", image, "oci:layout:1");
    const back = await peakOf("copy", "-q", "oci:layout:1", `${registry.host}/copied:1`);
    const peaks = { build, push, out, back };
    const shown = Object.entries(peaks).map(([name, bytes]) => `${name} ${Math.round(bytes / 1e6)} MB`);
    console.log(shown.join(", "));
    expect(Math.min(...Object.values(peaks))).toBeGreaterThan(50e6);
    expect(Math.max(...Object.values(peaks))).toBeLessThan(MOST);
  }, 900_000);
});
