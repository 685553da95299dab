// SPDX-License-Identifier: Apache-2.0
/* What the fleet has no case for: how far the check goes where something is not known. */
import { describe, expect, it } from "vitest";
import { shippedGpuData } from "../data/load.ts";
import { checkImage } from "./check-image.ts";
import { parseGpuTarget } from "./target.ts";
import type { GpuFinding, GpuPackage, ImageNeeds } from "../types.ts";

const data = await shippedGpuData();

function check(target: string, needs: Partial<ImageNeeds>): readonly GpuFinding[] {
  return checkImage(parseGpuTarget(target), { image: "app", env: {}, packages: [], ...needs }, data);
}
const found = (findings: readonly GpuFinding[], rule: string): GpuFinding | undefined =>
  findings.find((each) => each.rule === rule);
const wheel = (more: Partial<GpuPackage>): GpuPackage => ({
  name: "example",
  version: "1.0",
  source: "wheel",
  ...more,
});

describe("what is not known", () => {
  it("is unknown and no error: a driver of the future, a CUDA of the future, a GPU of the future", () => {
    const ptx = { packages: [wheel({ cuda: "13.9", kernels: { cubins: [], ptx: ["9.0"] } })] };
    const future = check("driver=999,sm=90", ptx);
    expect(future.map(({ level }) => level)).not.toContain("error");
    expect(found(future, "ptx-only")?.level).toBe("warning");
    expect(found(check("driver=535,sm=90", { toolkit: "99.0" }), "unknown-version")?.level).toBe("unknown");
    expect(found(check("driver=580,sm=199", { toolkit: "13.0" }), "unknown-gpu")?.level).toBe("unknown");
    expect(found(check("driver=580,sm=90", { packages: [wheel({ cuda: "12.8" })] }), "unknown-kernels")?.level).toBe(
      "unknown",
    );
    expect(found(check("sm=90", { toolkit: "12.8" }), "unknown-version")?.message).toContain("the driver is not told");
    expect(found(check("driver=580,sm=90", {}), "nothing-known")?.level).toBe("unknown");
  });

  it("says that a driver carries a CUDA at least, where no more is known", () => {
    expect(found(check("driver=999,sm=90", { toolkit: "12.8" }), "driver")?.message).toMatch(
      /driver 999 \(CUDA [\d.]+ or newer\)/,
    );
  });
});

describe("what wheels say", () => {
  it("outranks the tables", () => {
    const own = { cubins: ["7.0"], ptx: [] };
    const torch = wheel({ name: "torch", version: "2.11.0+cu130", cuda: "12.6", kernels: own });
    const findings = check("driver=535,sm=70", { packages: [torch] });
    expect(findings.map(({ level }) => level)).toEqual(["ok", "ok", "ok"]);
    expect(found(findings, "driver")?.message).toContain("torch 2.11.0+cu130 (CUDA 12.6)");
  });

  it("and what NVIDIA's distributions beside them say comes before the tables too", () => {
    const torch = { name: "torch", version: "2.11.0", source: "unknown" } as const;
    const runtime = wheel({ name: "nvidia-cuda-runtime-cu12", version: "12.6.77", cuda: "12.6" });
    expect(found(check("driver=535", { packages: [torch, runtime] }), "driver")?.message).toContain(
      "torch 2.11.0 (CUDA 12.6)",
    );
    expect(found(check("driver=535", { packages: [torch] }), "driver-too-old")?.message).toContain(
      "torch 2.11.0 (CUDA 13.0)",
    );
  });

  it("tells a build for CPUs, and one for another maker's GPUs", () => {
    const cpu = { packages: [wheel({ name: "torch", version: "2.7.0+cpu" })] };
    expect(found(check("driver=580,sm=90", cpu), "cpu-build")?.level).toBe("warning");
    const cuda = { packages: [wheel({ name: "torch", version: "2.7.0+cu128", cuda: "12.8" })] };
    expect(found(check("gfx=gfx90a", cuda), "wrong-vendor")?.fix).toContain("rocm");
    const rocm = { packages: [wheel({ name: "torch", version: "2.7.0+rocm6.3" })] };
    expect(found(check("driver=580,sm=90", rocm), "wrong-vendor")?.level).toBe("error");
    expect(found(check("gfx=gfx90a", rocm), "kernels")?.level).toBe("ok");
  });

  it("takes a package with code for both makers' GPUs for one of each", () => {
    const kernels = { cubins: ["8.0"], ptx: [], gfx: ["gfx90a"] };
    const both = { packages: [wheel({ name: "bitsandbytes", version: "0.50.2", kernels })] };
    expect(found(check("driver=580,sm=80", both), "wrong-vendor")).toBeUndefined();
    expect(found(check("gfx=gfx90a", both), "wrong-vendor")).toBeUndefined();
    expect(found(check("gfx=gfx90a", both), "kernels")?.level).toBe("ok");
  });
});

describe("forward compatibility", () => {
  const needs = { toolkit: "13.0", compat: { cuda: "13.0", version: "580.173.02", drivers: [535, 580] } };

  it("hangs on the brand where nobody told it, and is refused to cards of consumers", () => {
    expect(found(check("driver=535,sm=90", needs), "forward-compat")?.level).toBe("warning");
    expect(found(check("driver=535,sm=90,brand=tesla", needs), "forward-compat")?.level).toBe("ok");
    expect(found(check("driver=535,sm=90,name=NVIDIA H100", needs), "forward-compat")?.level).toBe("ok");
    expect(found(check("driver=535,sm=89,brand=geforce", needs), "forward-compat-refused")?.level).toBe("error");
    expect(found(check("driver=550,sm=90,brand=tesla", needs), "driver-too-old")?.level).toBe("error");
  });
});

describe("machines with several GPUs", () => {
  it("name the one that can't run it", () => {
    const torch = wheel({
      name: "torch",
      version: "2.7.0+cu126",
      cuda: "12.6",
      kernels: { cubins: ["7.0", "8.0"], ptx: [] },
    });
    const findings = check("driver=580,sm=80,sm=120", { packages: [torch] });
    expect(findings.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([
      expect.stringContaining("compute capability 12.0"),
    ]);
  });
});
