// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { compareDotted, majorOf } from "../versions.ts";
import { driverSupports, gpuOfPciDevice, gpuSupportedBy } from "./capabilities.ts";
import { cudaOfDriver, minimumDriver, runsOn } from "./drivers.ts";
import { formatGpuData } from "./format.ts";
import { frameworkBuild, frameworkBuilds, frameworkReleases, kernelsFor } from "./frameworks.ts";
import { howKernelsRun } from "./kernels.ts";
import { shippedGpuData } from "./load.ts";
import { lookUpGpuFacts } from "./look-up.ts";
import { gpuDataOf, parseGpuData } from "./parse.ts";
import { rowsWithPlaces, sourceUrls } from "./references.ts";
import { suitableBuilds } from "./suitable.ts";

const data = await shippedGpuData();

function failureOf(act: () => unknown): { readonly code: string; readonly message: string; readonly hint?: string } {
  try {
    act();
  } catch (error) {
    if (isTareError(error))
      return { code: error.code, message: error.message, ...(error.hint ? { hint: error.hint } : {}) };
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("the shipped data is consistent", () => {
  it("has a URL for every row and no source that nobody names", () => {
    const named = new Set<string>();
    for (const [place, row] of rowsWithPlaces(data)) {
      for (const url of sourceUrls(data, [row], "1.2.3")) {
        expect(url, place).toMatch(/^https:\/\/[^\s{}]+$/);
      }
      for (const reference of row.source) named.add(reference.split(":")[0] ?? "");
    }
    expect(Object.keys(data.sources).filter((name) => !named.has(name))).toEqual([]);
  });

  it("has a reference with an argument exactly where the URL has a place for it", () => {
    for (const [place, row] of rowsWithPlaces(data)) {
      for (const reference of row.source) {
        const [name = "", argument] = reference.split(":");
        expect(data.sources[name]?.includes("{}"), `${place} ${reference}`).toBe(argument !== undefined);
      }
    }
  });

  it("lists toolkits in order, with minimum drivers that never fall", () => {
    const rows = data.toolkits;
    for (const [place, row] of rows.entries()) {
      const before = rows[place - 1];
      if (!before) continue;
      expect(compareDotted(before.cuda, row.cuda), row.cuda).toBeLessThan(0);
      if (before.driver && row.driver) expect(compareDotted(before.driver, row.driver), row.cuda).toBeLessThan(0);
    }
  });

  it("has releases of a toolkit with drivers at or above its minimum, none falling", () => {
    for (const { cuda, driver, releases } of data.toolkits) {
      let before = driver;
      for (const [release, packaged] of Object.entries(releases)) {
        expect(release.startsWith(cuda), release).toBe(true);
        if (before && packaged) expect(compareDotted(packaged, before), release).toBeGreaterThanOrEqual(0);
        before = packaged ?? before;
      }
    }
  });

  it("has a minimum by minor-version compatibility that is not above the native one, from CUDA 11 on", () => {
    for (const { cuda, driver } of data.toolkits) {
      const answer = minimumDriver(data, cuda);
      if (!answer.known) throw new Error(cuda);
      expect(answer.value.minor === null, cuda).toBe(majorOf(cuda) < 11);
      if (driver && answer.value.minor) expect(compareDotted(answer.value.minor, driver), cuda).toBeLessThanOrEqual(0);
    }
  });

  it("has branches in order that carry rising CUDA", () => {
    for (const [place, row] of data.drivers.entries()) {
      const before = data.drivers[place - 1];
      if (!before) continue;
      expect(before.branch).toBeLessThan(row.branch);
      if (before.cuda && row.cuda) expect(compareDotted(before.cuda, row.cuda), String(row.branch)).toBeLessThan(0);
    }
  });

  it("knows every compute capability that any table names, and every toolkit", () => {
    const known = new Set(data.capabilities.flatMap(({ supported }) => supported));
    const toolkits = new Set(data.toolkits.map(({ cuda }) => cuda));
    const named = [
      ...data.cudnn.flatMap(({ supported }) => supported),
      ...data.chips.map(({ capability }) => capability),
      ...data.kernels.flatMap(({ cubins = [], range = [], ptx }) => [...cubins, ...range, ...ptx]),
    ];
    expect(named.map((name) => name.replace(/[af]$/, "")).filter((name) => !known.has(name))).toEqual([]);
    const cuda = [...data.capabilities, ...data.cudnn].flatMap((row) => row.cuda);
    expect(cuda.filter((version) => !toolkits.has(version))).toEqual([]);
  });

  it("has lifecycles of GPUs that agree with what the compilers know", () => {
    for (const { capabilities, firstCuda, lastCuda } of data.architectures) {
      for (const capability of capabilities) {
        const rows = data.capabilities.filter(({ supported }) => supported.includes(capability));
        const all = rows.flatMap(({ cuda }) => cuda).toSorted(compareDotted);
        const [first, last] = [all[0], all.at(-1)];
        if (first === undefined || last === undefined) continue;
        if (firstCuda !== null) expect(compareDotted(firstCuda, first), capability).toBeLessThanOrEqual(0);
        if (lastCuda === "current") expect(majorOf(last), capability).toBe(13);
        else if (lastCuda !== null) expect(majorOf(last), capability).toBe(majorOf(lastCuda));
      }
    }
  });

  it("has builds whose CUDA is a known toolkit, a default that exists, and no build or release twice", () => {
    const seen = new Set<string>();
    for (const { name, versions, builds, default: standard } of data.frameworks) {
      const locals = (builds ?? []).map(({ local }) => local);
      expect(new Set(locals).size, `${name} ${versions[0]}`).toBe(locals.length);
      if (standard !== null && standard !== "cpu") expect(locals, `${name} ${versions[0]}`).toContain(standard);
      for (const version of versions) {
        expect(seen.has(`${name} ${version}`), `${name} ${version}`).toBe(false);
        seen.add(`${name} ${version}`);
      }
      for (const { cuda, rocm, local } of builds ?? []) {
        if (cuda)
          expect(
            data.toolkits.some((row) => row.cuda.startsWith(cuda.split(".").slice(0, 2).join("."))),
            cuda,
          ).toBe(true);
        expect(cuda === undefined && rocm === undefined, `${name} ${local}`).toBe(false);
        if (local.startsWith("cu") && name === "torch") expect(local).toBe(`cu${(cuda ?? "").replace(".", "")}`);
      }
    }
  });

  it("has kernels for builds that exist only", () => {
    for (const { name, versions, locals } of data.kernels) {
      for (const version of versions) {
        const known = frameworkBuilds(data, name, version).map(({ local }) => local);
        for (const local of locals) expect(known, `${name} ${version}`).toContain(local);
      }
    }
  });

  it("has wheels with kernels that the toolkit of the build could make", () => {
    for (const { name, versions, locals, cubins = [] } of data.kernels) {
      for (const local of locals) {
        const build = frameworkBuild(data, name, versions[0] ?? "", local);
        if (!build.known || build.value.cuda === undefined) throw new Error(`${name} ${local}`);
        for (const cubin of cubins) {
          const { verdict } = gpuSupportedBy(data, build.value.cuda, cubin.replace(/[af]$/, ""));
          // Of some builds CUDA's major version alone is known.
          const wanted = build.value.cuda.includes(".") ? "yes" : "unknown";
          expect(verdict, `${name} ${local} ${cubin}`).toBe(wanted);
        }
      }
    }
  });
});

describe("parsing", () => {
  const shipped = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
  const bad: readonly (readonly [string, (copy: Record<string, unknown>) => void, RegExp])[] = [
    ["an unknown member", (copy) => (copy["extra"] = 1), /`extra` is no member/],
    [
      "an unknown member of a row",
      (copy) => (copy["minor"] = [{ cuda: "12", driver: "525", source: ["cog-torch"], x: 1 }]),
      /`minor\[0\]\.x`/,
    ],
    [
      "a row without source",
      (copy) => (copy["minor"] = [{ cuda: "12", driver: "525", source: [] }]),
      /names no source/,
    ],
    [
      "a source that is not there",
      (copy) => (copy["minor"] = [{ cuda: "12", driver: "525", source: ["toString"] }]),
      /`toString`/,
    ],
    [
      "a driver that is no version",
      (copy) => (copy["minor"] = [{ cuda: "12", driver: "R525", source: ["cog-torch"] }]),
      /`minor\[0\]\.driver`/,
    ],
    ["no version", (copy) => delete copy["version"], /`version` is no text/],
    ["a day that is none", (copy) => (copy["date"] = "2026-13-01"), /`date`/],
    ["a table that is no list", (copy) => (copy["toolkits"] = {}), /`toolkits` is no list/],
    ["a source that is no URL", (copy) => (copy["sources"] = { a: "see mail" }), /`sources\.a` is no https URL/],
    ["schema as text", (copy) => (copy["schema"] = "1"), /`schema` is not 1/],
    [
      "kernels with cubins and range",
      (copy) =>
        (copy["kernels"] = [
          {
            name: "torch",
            versions: [],
            locals: [],
            cubins: [],
            range: ["5.0", "9.0"],
            ptx: [],
            how: "measured",
            source: ["cog-torch"],
          },
        ]),
      /either `cubins` or `range`/,
    ],
  ];
  it.each(bad)("refuses %s", (_name, change, message) => {
    const copy = structuredClone(shipped);
    change(copy);
    const failure = failureOf(() => gpuDataOf(copy));
    expect(failure.code).toBe("E_GPU_DATA");
    expect(failure.message).toMatch(message);
  });

  it("says that a newer schema needs a newer program", () => {
    const failure = failureOf(() => parseGpuData('{"schema":2,"tables":[]}'));
    expect(failure).toMatchObject({ code: "E_GPU_DATA", hint: expect.stringContaining("newer tare") as string });
  });

  it.each(["", "[]", "null", '{"schema":1,"schema":1}', "{"])("refuses the text %j", (text) => {
    expect(failureOf(() => parseGpuData(text)).code).toBe("E_GPU_DATA");
  });

  it("fails with its own error or reads, whatever one value is replaced by", () => {
    const places = Object.keys(shipped);
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.json({ maxDepth: 3 }), (key, text) => {
        const copy = { ...shipped, [key]: JSON.parse(text) as unknown };
        try {
          gpuDataOf(copy);
        } catch (error) {
          expect(isTareError(error, "E_GPU_DATA")).toBe(true);
        }
      }),
    );
  });

  it("reads back what it was written as", () => {
    expect(parseGpuData(JSON.stringify(data))).toEqual(data);
    expect(parseGpuData(formatGpuData(data))).toEqual(data);
  });

  it("finds the shipped file as scripts/gpu-data.ts writes it", () => {
    expect(readFileSync(join(import.meta.dirname, "shipped.json"), "utf8")).toBe(formatGpuData(data));
  });
});

describe("drivers", () => {
  it.each([
    ["12.8", { native: "570.26", minor: "525.60.13" }],
    ["12.8.1", { native: "570.26", minor: "525.60.13" }],
    ["11.0", { native: "450.36.06", minor: "450.36.06" }],
    ["11.8", { native: "520.61.05", minor: "450.80.02" }],
    ["10.2", { native: "440.33", minor: null }],
    ["13.4", { native: null, minor: "580.65.06" }],
  ])("minimum of CUDA %s", (cuda, value) => {
    expect(minimumDriver(data, cuda)).toMatchObject({ known: true, value });
  });

  it.each(["14.0", "6.5", "twelve"])("does not know the minimum of CUDA %s", (cuda) => {
    expect(minimumDriver(data, cuda).known).toBe(false);
  });

  it.each([
    ["535.104.05", "12.2"],
    ["535", "12.2"],
    ["570.124.06", "12.8"],
    ["580", "13.0"],
    ["470.256.02", "11.4"],
    ["390.157", "9.1"],
  ])("driver %s carries CUDA %s", (driver, cuda) => {
    expect(cudaOfDriver(data, driver)).toMatchObject({ known: true, value: cuda });
  });

  it.each([
    ["999.10", "13.3"],
    ["535.43.02", "12.1"],
  ])("does not know what driver %s carries, but at least %s", (driver, atLeast) => {
    expect(cudaOfDriver(data, driver)).toMatchObject({ known: false, atLeast });
  });

  it.each([
    ["12.2", "535.104.05", "native"],
    ["11.8", "535.104.05", "native"],
    ["12.8", "535.104.05", "minor-compatibility"],
    ["12.8", "570", "native"],
    ["12.7", "570", "native"],
    ["12.8", "525.60.12", "no"],
    ["12.8", "470.256.02", "no"],
    ["13.0", "575.57.08", "no"],
    ["13.0", "580", "native"],
    ["13.2", "580.95.05", "minor-compatibility"],
    ["13.4", "580.95.05", "minor-compatibility"],
    ["13.4", "999.1", "minor-compatibility"],
    ["12.8", "999.1", "native"],
    ["14.0", "610.43.02", "unknown"],
    ["11.0", "450.36.06", "native"],
    ["11.1", "450.36.06", "no"],
    ["10.2", "418.39", "no"],
    ["6.0", "535", "native"],
  ])("CUDA %s on driver %s: %s", (toolkit, driver, verdict) => {
    expect(runsOn(data, toolkit, driver)).toMatchObject({ verdict });
  });

  it("takes the image's own compatibility package for an older branch", () => {
    const compat = { cuda: "13.1", drivers: [535, 550] };
    expect(runsOn(data, "13.0", "535.104.05", { compat }).verdict).toBe("forward-compatibility");
    expect(runsOn(data, "13.2", "535.104.05", { compat }).verdict).toBe("no");
    expect(runsOn(data, "13.0", "545.23.06", { compat }).verdict).toBe("no");
  });

  it("runs on every newer driver what runs on an older one", () => {
    const drivers = data.toolkits.flatMap(({ driver }) => driver ?? []);
    const toolkits = data.toolkits.map(({ cuda }) => cuda);
    const works = (toolkit: string, driver: string): boolean =>
      ["native", "minor-compatibility"].includes(runsOn(data, toolkit, driver).verdict);
    fc.assert(
      fc.property(
        fc.constantFrom(...toolkits),
        fc.constantFrom(...drivers),
        fc.constantFrom(...drivers),
        (toolkit, a, b) => {
          const [older, newer] = compareDotted(a, b) <= 0 ? [a, b] : [b, a];
          if (works(toolkit, older)) expect(works(toolkit, newer)).toBe(true);
        },
      ),
    );
  });
});

describe("GPUs", () => {
  it.each([
    ["13.0", "7.0", "no"],
    ["12.9", "7.0", "yes"],
    ["12.6", "12.0", "no"],
    ["12.8", "12.0", "yes"],
    ["11.0", "3.0", "no"],
    ["12.7", "8.0", "unknown"],
    ["12.8", "99.0", "unknown"],
  ])("CUDA %s knows compute capability %s: %s", (toolkit, capability, verdict) => {
    expect(gpuSupportedBy(data, toolkit, capability)).toMatchObject({ verdict });
  });

  it.each([
    ["7.0", "580.95.05", "yes"],
    ["7.0", "590", "no"],
    ["3.5", "470.256.02", "yes"],
    ["3.5", "535", "no"],
    ["12.0", "535.104.05", "no"],
    ["12.0", "570", "yes"],
    ["8.0", "999", "unknown"],
    ["42.0", "535", "unknown"],
  ])("compute capability %s with driver %s: %s", (capability, driver, verdict) => {
    expect(driverSupports(data, capability, driver)).toMatchObject({ verdict });
  });

  it.each([
    ["a V100", "1db6", "7.0"],
    ["a T4", "0x1eb8", "7.5"],
    ["an A100", "20b0", "8.0"],
    ["an RTX 3090", "2204", "8.6"],
    ["an RTX 4090", "2684", "8.9"],
    ["an L4", "27B8", "8.9"],
    ["an H100", "2330", "9.0"],
    ["a GH200", "2342", "9.0"],
    ["a GTX 1080 Ti", "1b06", "6.1"],
    ["an RTX 5090", "2b85", "12.0"],
  ])("knows %s by its PCI device %s", (_name, device, capability) => {
    expect(gpuOfPciDevice(data, device)).toMatchObject({ known: true, value: { capability } });
  });

  it("has no PCI device in two chips", () => {
    const ranges = data.chips.flatMap(({ pci }) => pci.map((range) => range.split("-")));
    const sorted = ranges
      .map(([low = "", high = low]) => [low, high] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
    for (const [place, [low, high]] of sorted.entries()) {
      expect(low <= high, low).toBe(true);
      const next = sorted[place + 1];
      if (next) expect(high < next[0], high).toBe(true);
    }
  });

  it("does not know a PCI device that is not in the data", () => {
    expect(gpuOfPciDevice(data, "0x0001").known).toBe(false);
  });
});

describe("frameworks", () => {
  it("knows PyTorch 2.7.0 for CUDA 12.8 whole", () => {
    expect(frameworkBuild(data, "torch", "2.7.0+cu128")).toMatchObject({
      known: true,
      value: {
        cuda: "12.8",
        cudnn: "9.7.1.26",
        indexUrl: "https://download.pytorch.org/whl/cu128",
        isDefault: false,
        kernels: { kind: "list", kernels: { cubins: ["7.5", "8.0", "8.6", "9.0", "10.0", "12.0"], ptx: ["12.0"] } },
        companions: { torchvision: "0.22.0" },
      },
    });
  });

  it.each([
    ["torch", "2.7.0", undefined, "12.6"],
    ["torch", "2.7", "cu118", "11.8"],
    ["Torch", "2.11.0", undefined, "13.0"],
    ["tensorflow", "2.18.0", undefined, "12.5"],
    ["jax", "0.9.0", "cuda12", "12.3"],
    ["jax_cuda13_plugin", "0.9.0", undefined, "13.0"],
    ["onnxruntime-gpu", "1.16.3", undefined, "11.8"],
    ["onnxruntime-gpu", "1.19.2", undefined, "12"],
    ["onnxruntime-gpu", "1.26.0", undefined, "12"],
    ["onnxruntime-gpu", "1.27.0", undefined, "13"],
    ["torch", "2.14.1", undefined, "13.0"],
    ["torch", "2.15.0", undefined, "13.2"],
    ["tensorflow", "2.18.1", undefined, "12.5"],
    ["vllm", "0.23.1rc", undefined, "12.9"],
  ])("%s %s (%s) was built with CUDA %s", (name, version, local, cuda) => {
    expect(frameworkBuild(data, name, version, local)).toMatchObject({ known: true, value: { cuda } });
  });

  it.each([
    ["torch", "2.99.0", undefined, /goes from 1\.11\.0 to \d+\.\d+\.\d+$/],
    ["torch", "2.7.0", "cu121", /what it has is cu118, cu126, cu128/],
    ["torch", "1.13.0", undefined, /default build/],
    ["jax", "0.9.0", undefined, /`cpu`/],
    ["onnxruntime-gpu", "9.31.1", undefined, /goes from 1\.0\.\* to 1\.31\.1$/],
    ["mxnet", "1.0", undefined, /nothing about `mxnet`/],
    ["__proto__", "1.0", undefined, /nothing about/],
  ])("%s %s (%s) is not known", (name, version, local, reason) => {
    const answer = frameworkBuild(data, name, version, local);
    expect(answer).toMatchObject({ known: false, reason: expect.stringMatching(reason) as string });
  });

  it("gives sources with the release in them", () => {
    const answer = frameworkBuild(data, "jax", "0.9.0", "cuda12");
    expect(answer.known && answer.sources).toContain("https://github.com/jax-ml/jax/blob/jax-v0.9.0/setup.py");
  });

  it("knows kernels of PyTorch's wheels by release and CUDA", () => {
    expect(kernelsFor(data, "2.7.0", "12.8")).toMatchObject({ known: true });
    expect(kernelsFor(data, "2.15.0", "13.0")).toMatchObject({ known: false });
  });

  it.each([
    ["gpu", "7.0", { kind: "gpu", architecture: "Volta", lastCuda: "12", lastDriver: 580, chips: ["GV100"] }],
    ["gpu", "10.3", { kind: "gpu", architecture: null, firstCuda: "12.9", lastCuda: "current", lastDriver: null }],
    ["gpu", "99.9", { kind: "unknown" }],
    ["cuda", "12.8.1", { kind: "cuda", version: "12.8", compatDrivers: [470, 535, 550, 560, 565] }],
    ["cuda", "99.0", { kind: "unknown" }],
    ["driver", "570.124.06", { kind: "driver", cuda: "12.8" }],
    ["driver", "1", { kind: "unknown" }],
    ["torch", "2.7.0+cu128", { kind: "framework", builds: [{ local: "cu128" }] }],
    ["torch", "2.7.0+cu999", { kind: "unknown" }],
    ["jax-cuda12-plugin", undefined, { kind: "unknown" }],
    ["torch", undefined, { kind: "releases" }],
  ])("is looked up: %s %s", (name, version, facts) => {
    expect(lookUpGpuFacts(data, name, version)).toMatchObject(facts);
  });

  it("lists releases in order", () => {
    const releases = frameworkReleases(data, "torch");
    expect(releases.at(0)).toBe("1.11.0");
    expect(releases.at(-1)).toBe("2.15.0");
    expect(frameworkReleases(data, "vllm")).toEqual(["0.23.1rc", "0.33.0"]);
  });
});

describe("kernels on a GPU", () => {
  const list = (cubins: readonly string[], ptx: readonly string[] = []) =>
    ({ kind: "list", kernels: { cubins, ptx } }) as const;
  const range = { kind: "range", low: "5.0", high: "9.0", ptx: [] } as const;
  it.each([
    ["the same", list(["8.6"]), "8.6", "machine-code"],
    ["a newer minor", list(["8.6"]), "8.9", "machine-code"],
    ["an older minor", list(["8.6"]), "8.0", "none"],
    ["another major", list(["9.0"]), "12.0", "none"],
    ["PTX of an older one", list(["9.0"], ["9.0"]), "12.0", "ptx"],
    ["PTX of a newer one", list(["9.0"], ["12.0"]), "10.0", "none"],
    ["for one GPU alone", list(["9.0a"]), "9.0", "machine-code"],
    ["for one GPU alone, on its neighbour", list(["10.0a"]), "10.3", "none"],
    ["for a family", list(["10.0f"]), "10.3", "machine-code"],
    ["PTX for one GPU alone", list([], ["9.0a"]), "12.0", "none"],
    ["a range below", range, "3.7", "none"],
    ["a range above", range, "12.0", "none"],
    ["the end of a range", range, "9.0", "machine-code"],
    ["inside a range", range, "8.0", "unknown"],
  ] as const)("%s", (_name, kernels, capability, way) => {
    expect(howKernelsRun(kernels, capability)).toBe(way);
  });
});

describe("builds that suit", () => {
  it("finds an index for a Blackwell card and stays with the release", () => {
    const [first] = suitableBuilds(data, { name: "torch", driver: "570", capabilities: ["12.0"], release: "2.7.0" });
    expect(first).toMatchObject({
      pin: "torch==2.7.0+cu128",
      indexUrl: "https://download.pytorch.org/whl/cu128",
      kernels: "machine-code",
    });
  });

  it("finds none for a card that no build knows", () => {
    expect(suitableBuilds(data, { name: "torch", driver: "570", capabilities: ["2.0"] })).toEqual([]);
  });

  it("offers only what runs on the driver and has a wheel for the Python", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...data.drivers.map(({ branch }) => String(branch))),
        fc.constantFrom("5.0", "6.1", "7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "12.0"),
        fc.constantFrom("3.9", "3.11", "3.13"),
        (driver, capability, python) => {
          for (const { build } of suitableBuilds(data, { name: "torch", driver, capabilities: [capability], python })) {
            expect(runsOn(data, build.cuda ?? "", driver).verdict).toMatch(/native|minor/);
            if (build.kernels) expect(howKernelsRun(build.kernels, capability)).not.toBe("none");
            if (Array.isArray(build.python)) expect(build.python).toContain(python);
            if (python === "3.9") expect(compareDotted(build.version, "2.9"), build.version).toBeLessThan(0);
          }
        },
      ),
    );
  });
});
