// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { lookupUser } from "./users.ts";

const PASSWD = [
  "root:x:0:0:root:/root:/bin/sh",
  "# comment:x:9:9::/:",
  "app:x:1000:1001:App:/home/app:/bin/sh",
  "1000:x:0:0:trap:/:/bin/sh",
  "broken",
  "huge:x:99999999999:0::/:",
  "last:x:7:7::/last:",
].join("\n");
const GROUP = "root:x:0:root\nwheel:x:10:app,root\nstaff:x:50:app\nlone:x:60:\n10:x:99:\n";
const FILES: Readonly<Record<string, Buffer>> = {
  "/etc/passwd": Buffer.from(PASSWD),
  "/etc/group": Buffer.from(GROUP),
};
const read = (path: string): Buffer | undefined => FILES[path];

describe("looking up a user", () => {
  it.each([
    ["", 0, 0, [0, 10], "/root"],
    ["root", 0, 0, [0, 10], "/root"],
    ["app", 1000, 1001, [1001, 10, 50], "/home/app"],
    ["1000", 1000, 1001, [1001, 10, 50], "/home/app"],
    ["app:staff", 1000, 50, [50], "/home/app"],
    ["app:5", 1000, 5, [5], "/home/app"],
    ["1000:10", 1000, 10, [10], "/home/app"],
    ["4242", 4242, 0, [0], undefined],
    ["4242:4343", 4242, 4343, [4343], undefined],
    [":lone", 0, 60, [60], "/root"],
    ["2147483647", 2147483647, 0, [0], undefined],
    ["last", 7, 7, [7], "/last"],
  ] as const)("%j", (spec, uid, gid, additionalGids, home) => {
    expect(lookupUser(read, spec)).toEqual({ uid, gid, additionalGids, ...(home === undefined ? {} : { home }) });
  });

  it("adds groups by name and number", () => {
    expect(lookupUser(read, "4242", ["lone", "77"]).additionalGids).toEqual([0, 60, 77]);
  });

  it.each([
    ["nobody", "E_USER_UNKNOWN"],
    ["app:nogroup", "E_USER_UNKNOWN"],
    ["huge", "E_USER_UNKNOWN"],
    ["2147483648", "E_UID"],
    ["4294967296", "E_UID"],
    ["99999999999999999999", "E_UID"],
    ["-1", "E_UID"],
    ["+1", "E_UID"],
    ["0x0", "E_UID"],
    ["1e3", "E_UID"],
    [" 0", "E_UID"],
    ["0 ", "E_UID"],
    ["\u0661", "E_UID"],
    ["app:-1", "E_UID"],
    ["app:4294967295", "E_UID"],
    ["a:b:c", "E_UID"],
  ])("refuses %j with %s", (spec, code) => {
    expect(() => lookupUser(read, spec)).toThrow(expect.objectContaining({ code, exitCode: 125 }));
  });

  it("works without any files, and refuses huge ones", () => {
    expect(lookupUser(() => undefined, "")).toEqual({ uid: 0, gid: 0, additionalGids: [0] });
    expect(() => lookupUser(() => Buffer.alloc((1 << 20) + 1), "app")).toThrow(
      expect.objectContaining({ code: "E_USER_FILE" }),
    );
  });

  it("never gives a number out of range, whatever the files say", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (spec, passwd, group) => {
        try {
          const user = lookupUser((path) => Buffer.from(path === "/etc/passwd" ? passwd : group), spec);
          for (const id of [user.uid, user.gid, ...user.additionalGids]) expect(id).toBeLessThan(2 ** 31);
        } catch (error) {
          expect(isTareError(error)).toBe(true);
        }
      }),
    );
  });
});
