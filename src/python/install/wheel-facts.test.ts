// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openZip } from "../../archive/index.ts";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import type { WheelFixture } from "../../../test/support/wheel-fixture.ts";
import { readWheelFacts } from "./wheel-facts.ts";
import type { WheelFacts } from "./wheel-facts.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-facts-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function read(fixture: WheelFixture, as?: string): WheelFacts {
  const { fileName, bytes } = makeWheel(fixture);
  const path = join(folder, "wheel.whl");
  fs.writeFileSync(path, bytes);
  const zip = openZip(path);
  try {
    return readWheelFacts(zip, as ?? fileName);
  } finally {
    zip.close();
  }
}

describe("a wheel", () => {
  it("tells its name, version, kind, folders and programs", () => {
    const facts = read({ name: "My_Demo", version: "1.0.post1", entryPoints: "[console_scripts]\nx = y:z\n" });
    expect(facts).toMatchObject({
      name: "My_Demo",
      version: "1.0.post1",
      distInfo: "My_Demo-1.0.post1.dist-info",
      dataFolder: "My_Demo-1.0.post1.data",
      isPure: true,
      scripts: [{ name: "x", module: "y", attribute: "z" }],
    });
  });

  const good: readonly (readonly [string, WheelFixture, string?])[] = [
    ["carriage returns", { wheel: "Wheel-Version: 1.0\r\nRoot-Is-Purelib: true\r\n", record: (text) => text.replaceAll("\n", "\r\n") }],
    ["a later 1.x", { wheel: "Wheel-Version: 1.9\nRoot-Is-Purelib: TRUE\n" }],
    ["a build number", {}, "demo-1.0-2-py3-none-any.whl"],
    ["another spelling of the name", { name: "Demo.Pack" }, "demo_pack-1.0-py3-none-any.whl"],
    ["another spelling of the version", {}, "demo-1.0.0-py3-none-any.whl"],
    ["a local version", { version: "1.0+cpu" }],
    ["a local version with an underscore in the name", { version: "1.0+cpu" }, "demo-1.0_cpu-py3-none-any.whl"],
    ["padded hashes and rows without a size", { record: (text) => text.replaceAll(/,\d+\n/g, "=,\n").replace("RECORD,=,", "RECORD,,") }],
    ["other hash functions", { files: {}, record: (text) => text.replaceAll("sha256=", "sha512=") }],
    ["a row twice", { record: (text) => text + text }],
    ["signatures that RECORD does not name", { entries: [{ name: "demo-1.0.dist-info/RECORD.jws", content: "{}" }], unrecorded: true }],
    ["folders that RECORD does not name", { entries: [{ name: "demo/sub/", method: 0 }] }],
  ]; // prettier-ignore
  for (const [title, fixture, as] of good) {
    it(`may have ${title}`, () => expect(read(fixture, as).isPure).toBe(true));
  }
});

const WHEEL = "E_WHEEL";
const RECORD = "E_WHEEL_RECORD";
const bad: readonly (readonly [string, string, RegExp, WheelFixture, string?])[] = [
  ["no wheel's name", WHEEL, /name is not that of a wheel/, {}, "demo.zip"],
  ["a name that leads elsewhere", WHEEL, /name is not that of a wheel/, {}, "../demo-1.0-py3-none-any.whl"],
  ["no .dist-info", WHEEL, /no \.dist-info/, { distInfo: "demo-1.0.info" }],
  ["the .dist-info of another name", WHEEL, /is that of another/, { distInfo: "evil-1.0.dist-info" }],
  ["the .dist-info of another version", WHEEL, /is that of another/, { distInfo: "demo-2.0.dist-info" }],
  ["two .dist-info folders", WHEEL, /several \.dist-info/, { files: { "evil-1.0.dist-info/METADATA": "" } }],
  ["no WHEEL", WHEEL, /no WHEEL/, { wheel: null }],
  ["no METADATA", WHEEL, /no METADATA/, { metadata: null }],
  ["no RECORD", WHEEL, /no RECORD/, { record: null }],
  ["WHEEL 2.0", WHEEL, /version `2\.0`/, { wheel: "Wheel-Version: 2.0\n" }],
  ["an empty WHEEL", WHEEL, /version ``/, { wheel: "" }],
  ["METADATA without a name", WHEEL, /no valid name/, { metadata: "Metadata-Version: 2.1\nVersion: 1.0\n" }],
  ["METADATA with a path for a name", WHEEL, /no valid name/, { metadata: "Name: ../x\nVersion: 1.0\n" }],
  ["METADATA with dots for a name", WHEEL, /no valid name/, { metadata: "Name: ..\nVersion: 1.0\n", name: "_" }],
  ["METADATA of another name", WHEEL, /METADATA is that of evil/, { metadata: "Name: evil\nVersion: 1.0\n" }],
  ["METADATA of another version", WHEEL, /METADATA is that of demo 2/, { metadata: "Name: demo\nVersion: 2\n" }],
  ["its name only in the description", WHEEL, /no valid name/, { metadata: "\nName: demo\nVersion: 1.0\n" }],
  ["an entry point that is no program", WHEEL, /makes no program/, { entryPoints: "[console_scripts]\nx = y\n" }],
  ["RECORD that is no table", RECORD, /three fields/, { record: () => "demo/__init__.py\n" }],
  ["a file that RECORD lacks", RECORD, /`extra\.py` is not in it/, { entries: [{ name: "extra.py" }], unrecorded: true }],
  ["a file that only RECORD has", RECORD, /`gone\.py` is not in the archive/, { record: (text) => `${text}gone.py,,\n` }],
  ["RECORD with files outside", RECORD, /is not in the archive/, { record: (text) => `${text}../../../etc/passwd,,\n` }],
  ["a file without a hash", RECORD, /no usable hash/, { record: (text) => text.replace(/(__init__\.py),.*/, "$1,,") }],
  ["a weak hash", RECORD, /no usable hash/, { record: (text) => text.replaceAll("sha256=", "md5=") }],
  ["another size", RECORD, /another size/, { record: (text) => text.replace(/(__init__\.py,.*),\d+/, "$1,1") }],
  ["two rows that disagree", RECORD, /is in it twice/, { record: (text) => `${text}demo/__init__.py,sha256=x,1\n` }],
]; // prettier-ignore

describe("what is refused", () => {
  for (const [title, code, message, fixture, as] of bad) {
    it(title, () => {
      const text = expect.stringMatching(message) as string;
      expect(() => read(fixture, as)).toThrow(expect.objectContaining({ code, message: text }));
    });
  }

  it("descriptions that fill memory", () => {
    const content = Buffer.alloc(33 << 20, " ");
    for (const name of ["METADATA", "WHEEL"]) {
      const fixture = { files: { [`demo-1.0.dist-info/${name}`]: content }, [name.toLowerCase()]: null };
      expect(() => read(fixture)).toThrow(expect.objectContaining({ code: "E_ZIP_LIMIT" }));
    }
  });

  it("messages have no control characters", () => {
    const metadata = "Name: evil\u001b[31m\nVersion: 1\u009b\n";
    expect(() => read({ metadata })).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/\p{C}/u) as string }),
    );
  });
});
