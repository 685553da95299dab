// SPDX-License-Identifier: Apache-2.0
/* `gpu check` on hosts that are folders, and for machines that are only described. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeNvidiaRoot, fakeUuid } from "../support/fake-driver-root.ts";
import { compiler, putFakeNvml } from "../support/fake-nvml.ts";
import type { FakeNvml } from "../support/fake-nvml.ts";
import { openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const SITE = "usr/local/lib/python3.11/site-packages";
const TORCH = [
  "Metadata-Version: 2.1",
  "Name: torch",
  "Version: 2.11.0",
  "Requires-Dist: nvidia-cuda-runtime==13.0.96",
  "Requires-Dist: nvidia-cudnn-cu13==9.17.1.4",
].join("\n");

let world: ProgramWorld;
let card = "";
let nothing = "";

function check(args: readonly string[], driverRoot = card): Outcome {
  return world.tare(["gpu", "check", ...args], { env: { NVIDIA_DRIVER_ROOT: driverRoot } });
}

beforeAll(() => {
  world = openProgramWorld("gpu-check");
  card = join(world.folder, "card");
  fakeNvidiaRoot(card, {
    version: "535.104.05",
    nodes: "files",
    gpus: [{ bus: "0000:07:00.0", minor: 0, model: "Tesla V100" }],
  });
  nothing = world.files("nothing", { "proc/devices": "Character devices:\n  1 mem\n" });
  world.files("torch", {
    Dockerfile: "FROM scratch\nCOPY tree /\nENV NVIDIA_REQUIRE_CUDA=cuda>=12.2\n",
    [`tree/${SITE}/torch-2.11.0.dist-info/METADATA`]: `${TORCH}\n`,
    [`tree/${SITE}/torch-2.11.0.dist-info/RECORD`]: "",
  });
  world.ok("build", "-q", "-t", "app", join(world.folder, "torch"));
});
afterAll(() => world.close());

describe("--gpu-check", () => {
  const create = (...args: readonly string[]): Outcome =>
    world.tare(["create", "--gpus", "all", ...args], { env: { NVIDIA_DRIVER_ROOT: card } });

  it("refuses an image that can't run on the GPUs that it would get, with one error", () => {
    const { code, err } = create("app", "true");
    expect(code).toBe(125);
    expect(err).toMatch(
      /^error\[E_GPU_CHECK\]: starting `app` with GPUs: driver 535\.104\.05 \(CUDA 12\.2\) is too old for torch 2\.11\.0[^]*\nhint: update the driver to R580 .*`--gpu-check=warn` starts it all the same\n$/,
    );
    expect(world.ok("ps", "-aq")).toBe("");
  });

  it("finds the same the second time, and looks again where the driver is another one or a variable counts", () => {
    expect(create("app", "true").err).toBe(create("app", "true").err);
    const newer = join(world.folder, "newer");
    fakeNvidiaRoot(newer, { version: "580.65.06", nodes: "files", gpus: [{ bus: "0000:07:00.0", minor: 0 }] });
    const found = world.tare(["create", "--name", "newer", "--gpus", "all", "app", "true"], {
      env: { NVIDIA_DRIVER_ROOT: newer },
    });
    expect(found).toMatchObject({ code: 0 });
    expect(
      create("-e", "NVIDIA_DISABLE_REQUIRE=1", "--gpu-check", "warn", "--name", "free", "app", "true").err,
    ).toContain("not checked, because `NVIDIA_DISABLE_REQUIRE` is set");
    world.ok("rm", "newer", "free");
  });

  it("tells and goes on, or does not look, where that is asked for; without GPUs nothing is said", () => {
    const warned = create("--name", "warned", "--gpu-check", "warn", "app", "true");
    expect(warned).toMatchObject({ code: 0, err: expect.stringMatching(/WARNING: .*is too old for torch 2\.11\.0/) });
    expect(create("--name", "unlooked", "--gpu-check", "off", "app", "true")).toMatchObject({ code: 0 });
    expect(world.tare(["create", "--name", "plain", "app", "true"]).err).not.toContain("torch");
    expect(create("--gpu-check", "no", "app").code).toBe(125);
    world.ok("rm", "warned", "unlooked", "plain");
  });
});

describe("gpu check", () => {
  it("says on a host without a GPU that there is none, and how to check for another machine", () => {
    const { code, out } = check([], nothing);
    expect(code).toBe(1);
    expect(out).toBe(
      [
        "this host: no GPU",
        "ERROR    this host has no GPU with a driver",
        "         to change: check for another machine: `tare gpu check IMAGE --target driver=535,sm=70`",
        "1 error",
        "",
      ].join("\n"),
    );
    expect(check(["app"], nothing)).toMatchObject({ code: 1, out: expect.stringContaining("this host has no GPU") });
  });

  it("looks at a host alone", () => {
    const { out } = check([]);
    expect(out).toMatch(/^ok {7}NVIDIA driver 535\.104\.05 \(CUDA 12\.2\): 0 Tesla V100/m);
    expect(out).toMatch(/^ok {7}device nodes are usable: .*\/dev\/nvidia0/m);
  });

  it("compares an image with a host by its driver, and refuses by exit code", () => {
    const { code, out } = check(["app"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^this host: driver 535\.104\.05 \(CUDA 12\.2\), Tesla V100/);
    expect(out).toMatch(
      /^ERROR {4}driver 535\.104\.05 \(CUDA 12\.2\) is too old for torch 2\.11\.0 \(CUDA 13\.0\), which needs R580/m,
    );
    expect(out).toMatch(/^ {9}to change: update the driver to R580 .*, or take the build for CUDA 12\.\d/m);
    expect(out).toMatch(/^ok {7}`NVIDIA_REQUIRE_CUDA` is satisfied/m);
  });

  it.skipIf(compiler() === undefined)("asks the driver's library once for what files do not tell", () => {
    const root = join(world.folder, "asked");
    const bus = "0000:07:00.0";
    fakeNvidiaRoot(root, { nodes: "files", gpus: [{ bus, minor: 0, model: "Tesla V100", device: "0xffff" }] });
    const gpu = {
      name: "Tesla V100",
      brand: 2,
      capability: "7.0",
      uuid: fakeUuid(0),
      bus: "00000000:07:00.0",
      minor: 0,
    };
    const said = { driver: "535.104.05", cuda: 12_020, gpus: [gpu] };
    const run = (faults: NonNullable<FakeNvml["faults"]>): Outcome =>
      world.tare(["gpu", "check", "app"], {
        env: putFakeNvml(root, { ...said, faults }),
      });
    const first = run({});
    expect(first.out).toMatch(/^this host: driver 535\.104\.05 \(CUDA 12\.2\), Tesla V100 \(7\.0\)$/m);
    expect(first.out).toMatch(/^ERROR {4}torch 2\.11\.0 has no code for .* \(Volta, compute capability 7\.0\)/m);
    expect(run({ "nvmlInit_v2.0": "crash" })).toEqual(first);
  });

  it("compares it with machines that are described, or that the project names", () => {
    const described = check(["app", "--target", "driver=580,sm=90", "--target", "driver=580,sm=70", "--json"]);
    expect(described.code).toBe(1);
    const reports = JSON.parse(described.out) as readonly {
      target: string;
      findings: readonly { level: string; rule: string }[];
    }[];
    expect(reports.map(({ target }) => target)).toEqual(["driver=580,sm=90", "driver=580,sm=70"]);
    const errors = reports.map(({ findings }) =>
      findings.filter(({ level }) => level === "error").map(({ rule }) => rule),
    );
    expect(errors).toEqual([[], expect.arrayContaining(["no-kernel-image", "cudnn-dropped-gpu"])]);
    const project = world.files("project", { "tare.toml": '[gpu.targets]\ncluster = "driver=580,sm=90"\n' });
    const named = world.tare(["gpu", "check", "-q", "app", "--target", "cluster"], { cwd: project });
    expect(named.code).toBe(0);
    expect(named.out).toMatch(/^cluster: driver 580 .*\nnothing stands in the way/);
    expect(world.tare(["gpu", "check", "--target", "clusters"], { cwd: project }).err).toContain(
      "did you mean `cluster`",
    );
  });
});

describe("the image of a Dockerfile in a folder that names machines", () => {
  const build = (check: string, ...args: readonly string[]): Outcome => {
    const folder = world.files(`named-${check}`, {
      Dockerfile: "FROM app\n",
      "tare.toml": `[gpu]\ncheck = "${check}"\n[gpu.targets]\ncluster = "driver=535,sm=80"\ndesk = "driver=580,sm=90"\n`,
    });
    return world.tare(["build", ...args, folder]);
  };

  it("is warned of, refused or left alone, as its settings say", () => {
    const warned = build("warn", "-t", "named");
    expect(warned.code, warned.err).toBe(0);
    expect(warned.err).toMatch(/GpuTarget.*on `cluster`: driver 535 .*is too old for torch 2\.11\.0/);
    expect(warned.err).not.toContain("`desk`");
    const refused = build("error");
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/error\[E_GPU_CHECK\]: .*`cluster`: driver 535 .*is too old for torch/);
    expect(build("off").err).not.toContain("torch");
  });

  it("is not looked at, nor are its folder's settings, where they name no machines", () => {
    const folder = world.files("other-settings", {
      Dockerfile: "FROM app\n",
      "pyproject.toml": "[project]\nname = 'x'\nversion = 3\n[tool.tare]\nnosuch = 1\n",
    });
    const { code, err } = world.tare(["build", folder]);
    expect(code, err).toBe(0);
    expect(err).not.toContain("torch");
  });
});
