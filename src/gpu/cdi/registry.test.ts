// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import { loadCdi } from "./registry.ts";

let root: string;
let directories: readonly string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cdi-"));
  directories = ["etc", "run"].map((name) => join(root, name));
  for (const directory of directories) mkdirSync(directory);
});

afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, devices: readonly string[], kind = "vendor.com/gpu"): string {
  const list = devices.map((name) => ({ name, containerEdits: { env: [`FROM=${file}:${name}`] } }));
  const edits = { env: [`SPEC=${file}`] };
  const text = JSON.stringify({ cdiVersion: "0.6.0", kind, devices: list, containerEdits: edits });
  writeFileSync(join(root, file), text);
  return join(root, file);
}

describe("the devices of all CDI specifications", () => {
  it("takes a device of the later directory, from files by .json and .yaml alone", async () => {
    write("etc/a.json", ["0", "1"]);
    write("run/b.yaml", ["1"]);
    write("run/c.yml", ["2"]);
    mkdirSync(join(root, "run/below.json"));
    const registry = await loadCdi({ directories: [...directories, join(root, "absent")] });
    expect(registry.problems).toEqual([]);
    expect(registry.devices().map(({ name, file }) => [name, file])).toEqual([
      ["vendor.com/gpu=0", join(root, "etc/a.json")],
      ["vendor.com/gpu=1", join(root, "run/b.yaml")],
    ]);
  });

  it("joins the edits of each specification before those of its first device", async () => {
    write("etc/a.json", ["0", "1"]);
    write("etc/b.json", ["x"], "vendor.com/net");
    const registry = await loadCdi({ directories });
    const names = ["vendor.com/gpu=1", "vendor.com/net=x", "vendor.com/gpu=0", "vendor.com/gpu=1"];
    expect(registry.edits(names).env).toEqual([
      "SPEC=etc/a.json",
      "FROM=etc/a.json:1",
      "SPEC=etc/b.json",
      "FROM=etc/b.json:x",
      "FROM=etc/a.json:0",
    ]);
    expect(registry.resolve(names).files).toEqual([join(root, "etc/a.json"), join(root, "etc/b.json")]);
  });

  it("drops a device that two files of one directory have, whatever another directory says", async () => {
    const files = [write("etc/a.json", ["0"]), write("etc/b.json", ["0", "1"])];
    write("run/c.json", ["0"]);
    const registry = await loadCdi({ directories });
    expect(registry.devices().map(({ name }) => name)).toEqual(["vendor.com/gpu=1"]);
    expect(registry.problems).toEqual([
      {
        files,
        device: "vendor.com/gpu=0",
        message: `\`vendor.com/gpu=0\` stands in two specifications of the same precedence: ${files.join(" and ")}`,
      },
    ]);
  });

  it("uses the other files when one is malformed, and says what is wrong with it", async () => {
    write("etc/good.json", ["0"]);
    writeFileSync(join(root, "etc/bad.yaml"), "cdiVersion: 0.6.0\nkind: a/b\ncolor: red\n");
    writeFileSync(join(root, "etc/bad.json"), "{");
    const registry = await loadCdi({ directories });
    expect(registry.devices().length).toBe(1);
    expect(registry.problems.map(({ files, message }) => [files[0], message.slice(0, 40)])).toEqual([
      [join(root, "etc/bad.json"), "reading the specification: not JSON: Exp"],
      [join(root, "etc/bad.yaml"), "unknown field `color`"],
    ]);
  });

  it("names every device that is unknown, what is near, and why files do not count", async () => {
    write("etc/good.json", ["gpu0", "gpu1"]);
    writeFileSync(join(root, "etc/bad.yaml"), "cdiVersion: 9.0.0\nkind: a/b\ndevices: []\n");
    const registry = await loadCdi({ directories });
    const failure = ((): unknown => {
      try {
        return registry.edits(["vendor.com/gpu=gpu0", "vendor.com/gpu=gpu2", "a/b=c"]);
      } catch (error) {
        return error;
      }
    })();
    if (!isTareError(failure, "E_CDI_DEVICE")) throw failure;
    expect(failure.message).toBe("unresolvable CDI devices vendor.com/gpu=gpu2, a/b=c");
    expect(failure.exitCode).toBe(125);
    expect(failure.hint).toContain(
      "did you mean vendor.com/gpu=gpu0? there are vendor.com/gpu=gpu0, vendor.com/gpu=gpu1",
    );
    expect(failure.hint).toContain(`${join(root, "etc/bad.yaml")}: cdiVersion: invalid version "9.0.0"`);
  });

  it("takes generated devices where no file has them", async () => {
    write("etc/a.json", ["0"]);
    const device = (name: string) => ({ name, containerEdits: { env: ["GENERATED=1"] } });
    const generated = [{ cdiVersion: "0.6.0", kind: "vendor.com/gpu", devices: [device("0"), device("1")] }];
    const registry = await loadCdi({ directories, generated });
    expect(registry.devices().map(({ name, file }) => [name, file])).toEqual([
      ["vendor.com/gpu=0", join(root, "etc/a.json")],
      ["vendor.com/gpu=1", undefined],
    ]);
    await expect(loadCdi({ directories, generated: [{ ...generated[0], devices: [] } as never] })).rejects.toThrow();
  });
});
