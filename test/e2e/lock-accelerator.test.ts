// SPDX-License-Identifier: Apache-2.0
/*
 * CPU or CUDA on purpose. torch's own index is a server of this process that stands in for its host, so the way is the
 * real one: uv's `--torch-backend`, its addresses, TLS, a proxy.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addFakePython } from "../support/fake-python.ts";
import { startPackageIndex } from "../support/package-index.ts";
import type { PackageIndex } from "../support/package-index.ts";
import { openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { startStandInHost, whyNoCertificates } from "../support/stand-in-host.ts";
import type { StandInHost } from "../support/stand-in-host.ts";
import { indexEnvironment, uvProgram, whyNoUv } from "../support/uv.ts";

const HOST = "download.pytorch.org";
const reason = whyNoUv() ?? whyNoCertificates();
if (reason !== undefined) console.log(`skipped: accelerators: ${reason}`);

const TAG = "cp311-cp311-manylinux_2_28_x86_64";
const LINUX = 'platform_system == "Linux"';

function addPackages({ add }: PackageIndex): void {
  add("torch", "2.9.0", { tag: TAG, requires: ["sympy", `nvidia-nccl-cu12; ${LINUX}`, `triton; ${LINUX}`] });
  add("nvidia-nccl-cu12", "2.27", { tag: "py3-none-manylinux_2_18_x86_64" });
  add("triton", "3.5.0", { tag: TAG });
  add("sympy", "1.14");
  add("accelerate", "1.0", { requires: ["torch>=2"] });
  add("boosted", "3.0", { requires: [`nvidia-nccl-cu12; ${LINUX}`] });
  const cpu = { index: "whl/cpu", isBare: true } as const;
  add("torch", "2.9.0+cpu", { ...cpu, tag: TAG, requires: ["sympy"] });
  add("sympy", "1.0", cpu);
  const cuda = { index: "whl/cu126" } as const;
  add("torch", "2.9.0+cu126", {
    ...cuda,
    tag: TAG,
    requires: ["sympy", `nvidia-nccl-cu12; ${LINUX}`, `triton; ${LINUX}`],
  });
  add("triton", "3.5.0", { ...cuda, tag: TAG });
}

let world: ProgramWorld;
let index: PackageIndex;
let host: StandInHost;
let env: Record<string, string>;
let project = "";
let count = 0;

async function tare(...args: readonly string[]): Promise<Outcome> {
  return world.tareAsync(args, { cwd: project, env });
}

function write(name: string, text: string): void {
  fs.writeFileSync(join(project, name), text);
}

function lockText(): string {
  return fs.readFileSync(join(project, "pylock.toml"), "utf8");
}

describe.skipIf(reason !== undefined)("--accelerator", () => {
  beforeAll(async () => {
    world = openProgramWorld("accelerator");
    index = await startPackageIndex();
    addPackages(index);
    host = await startStandInHost(world.folder, HOST, index.listener);
    env = { ...indexEnvironment(await uvProgram(), world.folder, index.url), ...host.env };
    addFakePython(world);
  });
  afterAll(async () => {
    host.close();
    await index.close();
    world.close();
  });
  beforeEach(() => {
    count += 1;
    project = world.files(`project-${count}`, {});
    write("pyproject.toml", '[tool.tare]\nbase = "pybase"\n');
    write("main.py", "import torch\n");
  });

  it("takes torch's CPU build from its own index, though nobody asked for torch by name", async () => {
    write("requirements.txt", "accelerate\n");
    const { code, out, err } = await tare("lock", "--accelerator", "cpu");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain("+ sympy 1.14\n+ torch 2.9.0+cpu\npylock.toml: written: 3 packages");
    expect(host.connections).toContain(`${HOST}:443`);
    expect(lockText()).toMatch(
      /url = "https:\/\/download\.pytorch\.org\/files\/torch-2\.9\.0%2Bcpu-[^"]+", size = \d+, hashes = \{ sha256 = "/,
    );
    expect(lockText()).toMatch(/^accelerator = "cpu"$/m);
    expect(lockText()).not.toMatch(/nvidia|triton/);
  });

  it("takes a CUDA build, and keeps to it when locked again", async () => {
    write("requirements.txt", "accelerate\n");
    expect((await tare("lock", "--accelerator", "cu126")).out).toContain("+ torch 2.9.0+cu126");
    expect((await tare("lock", "--upgrade")).out).toContain("up to date: 5 packages");
    expect((await tare("lock", "--accelerator", "cpu")).out).toContain(
      "- nvidia-nccl-cu12 2.27\n~ torch 2.9.0+cu126 -> 2.9.0+cpu\n- triton 3.5.0\n",
    );
  });

  it("means this machine's driver with auto, and none means the CPU", async () => {
    write("requirements.txt", "accelerate\n");
    const { out } = await tare("lock", "--accelerator", "auto");
    expect(out).toContain(fs.existsSync("/sys/module/nvidia/version") ? "+ torch 2.9.0+cu" : "+ torch 2.9.0+cpu");
    expect((await tare("lock", "--accelerator", "cu12.6")).err).toMatch(
      /unknown accelerator `cu12\.6`[^]*did you mean `cu126`/,
    );
  });

  it("is decided by the machines that the project names, and tells of one that can't run what is locked", async () => {
    write("requirements.txt", "accelerate\n");
    const machines = '[tool.tare]\nbase = "pybase"\n[tool.tare.gpu.targets]\ncluster = "driver=535,sm=70"\n';
    write("pyproject.toml", machines);
    const chosen = await tare("lock", "--accelerator", "auto");
    expect(chosen.out).toContain("+ torch 2.9.0+cu126");
    expect(chosen.out).not.toContain("warning");
    write("pyproject.toml", `${machines}old = "driver=470,sm=70"\n`);
    const told = await tare("lock");
    expect(told).toMatchObject({ code: 0 });
    expect(told.out).toMatch(
      /^warning: on `old`: driver 470 .* is too old for torch 2\.9\.0\+cu126 \(CUDA 12\.6\), which needs R525/m,
    );
    const build = ["build", "--progress", "plain", "--bytecode", "none", "-t", "app", "."];
    expect((await tare(...build)).err).toContain("on `old`: driver 470");
    write("pyproject.toml", `${machines}old = "driver=470,sm=70"\n[tool.tare.gpu]\ncheck = "error"\n`);
    const refused = await tare(...build);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toMatch(
      /error\[E_GPU_CHECK\]: choosing packages for `old`: driver 470[^]*hint: update the driver to R525/,
    );
  });

  it("refuses CUDA packages in a set for the CPU, and says who wants them", async () => {
    write("requirements.txt", "accelerate\nboosted\n");
    const { code, err } = await tare("lock", "--accelerator", "cpu");
    expect(code).toBe(1);
    expect(err).toContain(
      "error[E_ACCELERATOR]: choosing packages for the CPU: `nvidia-nccl-cu12` would be among them: `boosted` needs it\nhint: take a CPU build of `boosted` (some have a package of their own, as `boosted-cpu`), or choose another accelerator\n",
    );
    write("requirements.txt", "triton\n");
    expect((await tare("lock", "--accelerator", "cpu")).err).toContain(
      "`triton` would be among them: `requirements.txt` asks for it",
    );
  });

  it("decides for a build without a lock, and each choice is remembered for itself", async () => {
    write("requirements.txt", "accelerate\n");
    const build = (...more: readonly string[]): Promise<Outcome> =>
      tare("build", "--progress", "plain", "--bytecode", "none", "-t", "app", ...more, ".");
    const cpu = await build("--accelerator", "cpu");
    expect(cpu).toMatchObject({ code: 0 });
    expect(cpu.err).toMatch(/accelerator: {2,}cpu: no CUDA packages/);
    const plain = await build();
    expect(plain.err).toMatch(/accelerator: {2,}CUDA, as the index gives it: 2 CUDA packages/);
    const asked = index.requests.length;
    const again = await build("--accelerator", "cpu");
    expect(again.err).toContain("requirements.txt, resolved before: 3 packages");
    expect(index.requests.length).toBe(asked);
    const plan = await tare("build", "--plan", "--accelerator", "cpu", ".");
    expect(plan.out).toContain("torch 2.9.0+cpu");
    expect(plan.out).not.toMatch(/nvidia|triton/);
  });

  it("of the project may be auto: the lock decides then, on every machine", async () => {
    write("requirements.txt", "accelerate\n");
    await tare("lock", "--accelerator", "cu126");
    write("pyproject.toml", '[tool.tare]\nbase = "pybase"\naccelerator = "auto"\n');
    expect((await tare("lock")).out).toContain("up to date: 5 packages");
    expect((await tare("build", "--progress", "plain", "--bytecode", "none", ".")).err).toMatch(
      /accelerator: {2,}cu126: 2 CUDA/,
    );
  });

  it("is told by torch's version where the lock was made by another tool", async () => {
    write("requirements.txt", "torch\n");
    await tare("lock");
    fs.writeFileSync(join(project, "pylock.toml"), lockText().split("[tool.tare]")[0] ?? "");
    const other = await tare("build", "--accelerator", "cu126", ".");
    expect(other.err).toContain("error[E_ACCELERATOR]: choosing packages for cu126: the lock has torch 2.9.0");
  });

  it("must be the one that a lock was made for", async () => {
    write("requirements.txt", "accelerate\n");
    await tare("lock", "--accelerator", "cu126");
    const other = await tare("build", "--accelerator", "cpu", ".");
    expect(other.err).toContain("error[E_ACCELERATOR]: choosing packages for cpu: the lock was made for cu126");
    await tare("lock", "-o", "pylock.toml", "--accelerator", "cpu");
    expect((await tare("build", "-q", "--bytecode", "none", "--accelerator", "cpu", ".")).code).toBe(0);
    const locked = await tare("build", "--progress", "plain", "--bytecode", "none", ".");
    expect(locked.err).toMatch(/accelerator: {2,}cpu: no CUDA packages/);
  });
});
