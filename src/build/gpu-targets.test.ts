// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { afterAll, expect, it } from "vitest";
import { openStore } from "../store/index.ts";
import { temporaryRoot } from "../store/fixture.ts";
import { automaticAccelerator, checkTargets, refuseTargets, targetTexts } from "./gpu-targets.ts";
import type { SelectedPackage } from "../python/index.ts";

const root = temporaryRoot();
const store = openStore({ root, sync: "none" });
afterAll(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

const projectFor = (targets: Readonly<Record<string, string>>, check?: "error" | "warn" | "off") => ({
  config: { gpu: { targets, ...(check === undefined ? {} : { check }) } },
});
const locked = (name: string, version: string): SelectedPackage => ({
  name,
  version,
  wheel: { fileName: `${name}-${version}-cp311-cp311-manylinux_2_28_x86_64.whl` },
  isRequested: true,
  dependencies: [],
});
const TORCH = [locked("torch", "2.11.0"), locked("nvidia-cuda-runtime", "13.0.96"), locked("requests", "2.32.0")];

it("names the machine on which locked packages can't run, and what to change", async () => {
  const project = projectFor({ cluster: "driver=535,sm=70", desk: "driver=580,sm=120" });
  const found = await checkTargets({ store }, project, TORCH);
  expect(found.map(({ target }) => target)).toEqual(["cluster"]);
  const [text = ""] = targetTexts(found);
  expect(text).toMatch(/^on `cluster`: driver 535 \(CUDA 12\.2\) is too old for torch 2\.11\.0 \(CUDA 13\.0\)/);
  expect(text).toContain("--index-url https://download.pytorch.org/whl/cu126");
  expect(() => refuseTargets(found, project)).not.toThrow();
});

it("refuses where the project says so, and looks at nothing where it switched the check off", async () => {
  const strict = projectFor({ cluster: "driver=535,sm=70" }, "error");
  const found = await checkTargets({ store }, strict, TORCH);
  expect(() => refuseTargets(found, strict)).toThrow(
    expect.objectContaining({
      code: "E_GPU_CHECK",
      message: expect.stringContaining("choosing packages for `cluster`"),
    }),
  );
  expect(await checkTargets({ store }, projectFor({ cluster: "driver=535,sm=70" }, "off"), TORCH)).toEqual([]);
  expect(await checkTargets({ store }, { config: {} }, TORCH)).toEqual([]);
});

it("has nothing to say of packages that use no GPU", async () => {
  const project = projectFor({ cluster: "driver=390,sm=35" });
  expect(await checkTargets({ store }, project, [locked("requests", "2.32.0")])).toEqual([]);
});

it("says in which target a mistake is", async () => {
  const project = projectFor({ cluster: "drivers=535" });
  await expect(checkTargets({ store }, project, TORCH)).rejects.toMatchObject({
    code: "E_CONFIG",
    message: expect.stringContaining("reading gpu.targets.cluster: reading the GPU target `drivers=535`: unknown key"),
  });
});

it("decides `auto` by the project's machines, not by this host", async () => {
  const project = projectFor({ cluster: "driver=535,sm=70", desk: "driver=580,sm=80" });
  const automatic = await automaticAccelerator({ env: {}, store }, project, "auto");
  expect(automatic()).toBe("cu126");
});
