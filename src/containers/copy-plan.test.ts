// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lookUpPlace } from "./copy-place.ts";
import { copyPath, planCopy } from "./copy-plan.ts";
import type { DestinationFacts, SourceFacts } from "./copy-plan.ts";

const FILE: SourceFacts = { isDirectory: false, base: "file" };
const DIRECTORY: SourceFacts = { isDirectory: true, base: "dir" };
const CONTENT: SourceFacts = { isDirectory: true, base: "." };
const at = (kind: DestinationFacts["kind"], assertsDirectory = false): DestinationFacts => ({
  shown: "to",
  base: "to",
  kind,
  assertsDirectory,
});

describe("the rules of cp", () => {
  it.each([
    ["a file to what is not there", FILE, at("absent"), "parent", "to"],
    ["a file over a file", FILE, at("other"), "parent", "to"],
    ["a file into a directory", FILE, at("directory"), "destination", "file"],
    ["a directory to what is not there", DIRECTORY, at("absent"), "parent", "to"],
    ["a directory to what is not there, with a slash", DIRECTORY, at("absent", true), "parent", "to"],
    ["a directory into a directory", DIRECTORY, at("directory"), "destination", "dir"],
    ["content to what is not there", CONTENT, at("absent"), "parent", "to"],
    ["content into a directory", CONTENT, at("directory"), "destination", "."],
  ] as const)("%s", (_name, source, destination, into, base) => {
    expect(planCopy(source, destination)).toEqual({ into, base });
  });

  it.each([
    ["a file to a directory that is not there", FILE, at("absent", true), /must exist/],
    ["a file to a file with a slash", FILE, at("other", true), /is a file/],
    ["a directory over a file", DIRECTORY, at("other"), /cannot copy a directory/],
    ["content over a file", CONTENT, at("other"), /cannot copy a directory/],
  ] as const)("refuse %s", (_name, source, destination, text) => {
    expect(() => planCopy(source, destination)).toThrowError(text);
  });

  it.each([
    ["a/b", "/w/a/b"],
    ["/a/b", "/a/b"],
    ["a/", "/w/a/"],
    ["a/.", "/w/a/."],
    [".", "/w/."],
    ["..", "/"],
    ["/", "/"],
    ["/.", "/."],
    ["a/../..", "/"],
    ["../../../x/", "/x/"],
  ])("reads %j as %j", (text, path) => expect(copyPath(text, "/w")).toBe(path));
});

describe("looking up a place", () => {
  let folder: string;
  let root: number;
  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-place-"));
    fs.mkdirSync(join(folder, "root/etc"), { recursive: true });
    fs.writeFileSync(join(folder, "secret"), "outside");
    fs.writeFileSync(join(folder, "root/etc/passwd"), "inside");
    fs.symlinkSync("/etc", join(folder, "root/absolute"));
    fs.symlinkSync("../../../../etc", join(folder, "root/climbing"));
    fs.symlinkSync("/etc/passwd", join(folder, "root/file"));
    fs.symlinkSync("/etc/new", join(folder, "root/dangling"));
    fs.symlinkSync("loop", join(folder, "root/loop"));
    root = fs.openSync(join(folder, "root"), "r");
  });
  afterEach(() => {
    fs.closeSync(root);
    fs.rmSync(folder, { recursive: true });
  });
  const found = (path: string, follow = true): string => {
    const place = lookUpPlace(root, path, { follow, shown: path });
    place.close();
    return `/${place.path}${place.name === undefined ? "/" : `:${place.name}`}${place.stats ? "" : "?"}`;
  };

  it.each([
    ["/", "//"],
    ["/etc", "/etc/"],
    ["/etc/passwd", "/etc:passwd"],
    ["/absolute", "/etc/"],
    ["/absolute/passwd", "/etc:passwd"],
    ["/climbing/passwd", "/etc:passwd"],
    ["/file", "/etc:passwd"],
    ["/dangling", "/etc:new?"],
    ["/../../etc/passwd", "/etc:passwd"],
    ["/new", "/:new?"],
  ])("finds %j at %j", (path, expected) => expect(found(path)).toBe(expected));

  it("leaves a link as the last name alone, but for a slash after it", () => {
    expect(["/absolute", "/absolute/", "/file"].map((path) => found(path, false))).toEqual([
      "/:absolute",
      "/etc/",
      "/:file",
    ]);
  });

  it.each(["/missing/x", "/etc/passwd/x", "/loop", "/loop/x"])("refuses %j", (path) => {
    expect(() => found(path)).toThrowError(/copying/);
  });

  it("never leaves the root, whatever the path", () => {
    const name = fc.constantFrom("..", ".", "etc", "absolute", "climbing", "file", "dangling", "secret", "", "passwd");
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), fc.boolean(), (names, follow) => {
        try {
          expect(found(`/${names.join("/")}`, follow)).toMatch(/^\/(?:etc)?(?:[:/]|$)/);
        } catch (error) {
          expect(error).toMatchObject({ code: "E_COPY" });
        }
      }),
    );
  });
});
