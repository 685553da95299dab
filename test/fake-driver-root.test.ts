// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elfObject } from "./support/elf-object.ts";
import { fakeAmdRoot, fakeIntelRoot, fakeNvidiaRoot, fakeUuid, fakeWslRoot } from "./support/fake-driver-root.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-fake-driver-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const exists = (...parts: string[]): boolean => fs.existsSync(join(folder, ...parts));

describe("shared objects made without a compiler", () => {
  it("are loaded by the dynamic loader, and their functions are called", () => {
    fakeNvidiaRoot(join(folder, "one"));
    const library = koffi.load(join(folder, "one/usr/lib/x86_64-linux-gnu/libcuda.so.1"));
    expect(library.func("int cuInit(unsigned int)")(0)).toBe(0);
    const version = [0];
    expect(library.func("int cuDriverGetVersion(_Out_ int *)")(version)).toBe(0);
    expect(version).toEqual([12_020]);
    expect(() => library.func("int cuNothing()")).toThrow(/cuNothing/);
    library.unload();
  });

  it("load what they need, which need not be there", () => {
    const path = join(folder, "needy.so");
    fs.writeFileSync(path, elfObject({ soname: "needy.so", needed: ["libnowhere-of-a-test.so.1"] }));
    expect(() => koffi.load(path)).toThrow(/libnowhere-of-a-test\.so\.1/);
  });
});

describe("fake driver roots", () => {
  it("leave out what they are told to", () => {
    fakeNvidiaRoot(join(folder, "bare"), { without: ["libraries", "nvidia-smi", "uvm"], nodes: "files" });
    expect(exists("bare/proc/driver/nvidia/version")).toBe(true);
    expect(exists("bare/usr/lib")).toBe(false);
    expect(exists("bare/dev/nvidia-uvm")).toBe(false);
    expect(fs.lstatSync(join(folder, "bare/dev/nvidia0")).isFile()).toBe(true);
  });

  it("are there for every maker of GPUs", () => {
    fakeWslRoot(join(folder, "wsl"));
    fakeAmdRoot(join(folder, "amd"));
    fakeIntelRoot(join(folder, "intel"));
    expect([exists("wsl/dev/dxg"), exists("amd/dev/kfd"), exists("intel/dev/dri/card0")]).toEqual([true, true, true]);
    const information = fs.readFileSync(join(folder, "one/proc/driver/nvidia/gpus/0000:07:00.0/information"), "utf8");
    expect(information).toContain(fakeUuid(0));
  });
});
