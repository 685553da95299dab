// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { elfObject } from "../../../test/support/elf-object.ts";
import { fakeNvidiaRoot } from "../../../test/support/fake-driver-root.ts";
import { folderTree } from "../../../test/support/tree.ts";
import { discoverGpus } from "../host/discover.ts";
import type { CdiEdits } from "../types.ts";
import { withCompat } from "./compat.ts";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-compat-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const OWN = ["/usr/local/nvidia/lib64"];
const COMPAT = ["/usr/local/cuda/compat", ...OWN];

const library = (path: string, drivers?: readonly number[]): void => {
  const description = Buffer.from(JSON.stringify({ format: 1, "CUDA version": "12.9", driver: drivers }));
  const notes = { ".note.cuda.fwd_compatibility": { name: "NVIDIA Corporation", type: 1, description } };
  const file = join(folder, "image", path);
  fs.mkdirSync(dirname(file), { recursive: true });
  fs.writeFileSync(file, elfObject({ soname: "libcuda.so.1", ...(drivers === undefined ? {} : { notes }) }));
};

/** Where libraries are looked for in a container on a host with this driver and GPU. */
const search = (
  driver: string,
  model: string,
  edits: CdiEdits = { searchPaths: { LD_LIBRARY_PATH: OWN } },
): unknown => {
  const driverRoot = join(folder, "host");
  const gpus = [{ bus: "0000:07:00.0", minor: 0, model }];
  fakeNvidiaRoot(driverRoot, { version: driver, gpus, nodes: "files", without: ["libraries"] });
  fs.mkdirSync(join(folder, "image/usr/local"), { recursive: true });
  const given = { edits, files: [], gpus: discoverGpus({ driverRoot }).gpus };
  return withCompat(given, folderTree(join(folder, "image")), { driverRoot }).edits.searchPaths?.["LD_LIBRARY_PATH"];
};

describe("the libcuda of an image", () => {
  const A100 = "NVIDIA A100-SXM4-40GB";
  const compat = "usr/local/cuda-12.9/compat/libcuda.so.575.57.08";
  const linked = (drivers?: readonly number[]): void => {
    library(compat, drivers);
    fs.symlinkSync("/etc/alternatives/cuda", join(folder, "image/usr/local/cuda"));
    fs.mkdirSync(join(folder, "image/etc/alternatives"), { recursive: true });
    fs.symlinkSync("/usr/local/cuda-12.9", join(folder, "image/etc/alternatives/cuda"));
  };
  const cases: readonly (readonly [
    name: string,
    drivers: readonly number[] | undefined,
    driver: string,
    first: boolean,
  ])[] = [
    ["goes before an older driver's of a branch that it names", [535, 550], "535.104.05", true],
    ["stays behind that of a branch that it does not name", [550], "535.104.05", false],
    ["stays behind a newer driver's", [535, 575, 580], "580.65.06", false],
    ["stays behind a newer one of its own branch", [575], "575.64.03", false],
    ["without a note goes before an older branch's", undefined, "535.104.05", true],
    ["without a note stays behind a newer branch's", undefined, "580.65.06", false],
  ];
  it.each(cases)("%s", (_, drivers, driver, first) => {
    linked(drivers);
    expect(search(driver, A100)).toEqual(first ? COMPAT : OWN);
  });

  it.each(["NVIDIA GeForce RTX 3090", "NVIDIA Graphics Device"])("is not for %s", (model) => {
    linked([535]);
    expect(search("535.104.05", model)).toEqual(OWN);
  });

  it("is left alone with another beside it", () => {
    linked([535]);
    library("usr/local/cuda-12.9/compat/libcuda.so.560.35.03", [535]);
    expect(search("535.104.05", A100)).toEqual(OWN);
  });

  it("is nothing where links lead in a circle", () => {
    fs.mkdirSync(join(folder, "image/usr/local"), { recursive: true });
    fs.symlinkSync("cuda", join(folder, "image/usr/local/cuda"));
    expect(search("535.104.05", A100)).toEqual(OWN);
  });

  it("is the business of an installed specification's own hook", () => {
    linked([535]);
    expect(search("535.104.05", A100, { env: ["A=1"] })).toBeUndefined();
  });
});
