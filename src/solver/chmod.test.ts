// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChmod } from "./chmod.ts";

const octal = (mode: number): string => mode.toString(8);

describe("--chmod", () => {
  it.each([
    ["644", 0o755, false, "644"],
    ["0755", 0o600, true, "755"],
    ["4711", 0o644, false, "4711"],
    ["0", 0o777, false, "0"],
    ["u=rwX,go=rX", 0o640, false, "644"],
    ["u=rwX,go=rX", 0o700, true, "755"],
    ["u=rwX,go=rX", 0o750, false, "755"],
    ["+x", 0o644, false, "755"],
    ["a+x,o-r", 0o644, false, "751"],
    ["go-rwx", 0o777, false, "700"],
    ["g=u", 0o640, false, "660"],
    ["u+s", 0o755, false, "4755"],
    ["g+s", 0o755, true, "2755"],
    ["+t", 0o777, true, "1777"],
    ["o=", 0o777, false, "770"],
    ["u=rw,u+x", 0o000, false, "700"],
    ["ug+w-x", 0o555, false, "665"],
  ])("%s makes of %o (directory: %s)", (text, mode, isDirectory, wanted) => {
    expect(octal(parseChmod(text).change(mode, isDirectory))).toBe(wanted);
  });

  it.each(["64a", "10000", "u=q", "rwx", "+", "z+x", "u+x,", "", "0o644", "-1"])("refuses `%s`", (text) => {
    const isOnlyOperator = text === "+";
    const parse = (): unknown => parseChmod(text);
    if (isOnlyOperator) expect(parse).not.toThrow();
    else expect(parse).toThrow(expect.objectContaining({ code: "E_CHMOD" }));
  });

  it("sets exactly the octal mode, whatever the file had", () => {
    fc.assert(
      fc.property(fc.nat(0o7777), fc.nat(0o7777), fc.boolean(), (wanted, mode, isDirectory) => {
        const { change, octal: stated } = parseChmod(wanted.toString(8));
        expect([change(mode, isDirectory), stated]).toEqual([wanted, wanted]);
      }),
    );
  });
});
