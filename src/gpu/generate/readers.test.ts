// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elfObject } from "../../../test/support/elf-object.ts";
import { loaderCache } from "../../../test/support/loader-cache.ts";
import { parseLoaderCache } from "./loader-cache.ts";
import { realPathIn } from "./real-path.ts";
import { readSharedObject } from "./shared-object.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-readers-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const written = (bytes: Uint8Array): string => {
  const path = join(folder, "object");
  fs.writeFileSync(path, bytes);
  return path;
};

describe("shared objects", () => {
  it.each(["x86_64", "aarch64"] as const)("tell their name: %s", (machine) => {
    const path = written(
      elfObject({ soname: "libcuda.so.1", needed: ["libc.so.6"], machine, functions: { cuInit: 0 } }),
    );
    expect(readSharedObject(path)).toEqual({ bits: 64, soname: "libcuda.so.1" });
  });

  it("may have no name", () => expect(readSharedObject(written(elfObject({})))).toEqual({ bits: 64 }));

  it.runIf(process.platform === "linux")("of this host are read as its own tools write them", () => {
    const maps = fs.readFileSync("/proc/self/maps", "utf8");
    const libc = /(\/\S+\/(lib(?:m|c)\.so\.6))$/m.exec(maps);
    if (libc === null) return;
    expect(readSharedObject(libc[1] ?? "")).toEqual({ bits: 64, soname: libc[2] });
  });

  it("that are cut or changed anywhere are read without harm", () => {
    const whole = elfObject({ soname: "libcuda.so.1" });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, byte) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        const found = readSharedObject(written(bytes.subarray(0, length)));
        expect(found?.soname ?? "name").toMatch(/^[\w.+-]+$/);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the loader's cache", () => {
  const paths = ["/usr/lib/libc.so.6", "/opt/nvidia/lib/libcuda.so.1"];

  it("has the paths of libraries", () => expect(parseLoaderCache(loaderCache(paths))).toEqual(paths));

  it("may stand behind a table of the older form", () => {
    const old = Buffer.alloc(12 + 4 + 3 * 12 + 4);
    old.write("ld.so-1.7.0", "latin1");
    old.writeUInt32LE(3, 12);
    expect(parseLoaderCache(Buffer.concat([old, loaderCache(paths)]))).toEqual(paths);
  });

  it.runIf(fs.existsSync("/etc/ld.so.cache"))("of this host has the C library", () => {
    expect(parseLoaderCache(fs.readFileSync("/etc/ld.so.cache")).join("\n")).toMatch(/\/libc\.so\.6$/m);
  });

  it("that is cut or changed anywhere gives absolute paths or none", () => {
    const whole = loaderCache(paths);
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, byte) => {
        const bytes = Buffer.from(whole);
        bytes[at] = byte;
        for (const path of parseLoaderCache(bytes.subarray(0, length))) expect(path).toMatch(/^\//);
      }),
    );
  });
});

describe("paths below a root", () => {
  it("follow links as a program would that has the root as its own", () => {
    const root = join(folder, "root");
    fs.mkdirSync(join(root, "usr/lib/real"), { recursive: true });
    fs.writeFileSync(join(root, "usr/lib/real/a.so.1"), "");
    fs.symlinkSync("usr/lib", join(root, "lib"));
    fs.symlinkSync("/lib/real/a.so.1", join(root, "usr/lib/a.so"));
    fs.symlinkSync("../../../../../../lib/a.so", join(root, "usr/lib/b.so"));
    fs.symlinkSync("loop", join(root, "loop"));
    const cases: readonly (readonly [string, string | undefined])[] = [
      ["/lib/a.so", "/usr/lib/real/a.so.1"],
      ["/lib/b.so", "/usr/lib/real/a.so.1"],
      ["/lib/./real/../real", "/usr/lib/real"],
      ["/lib/none", undefined],
      ["/loop", undefined],
      ["/etc/hostname", undefined],
    ];
    for (const [path, real] of cases) expect([path, realPathIn(root, path)]).toEqual([path, real]);
  });
});
