// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseUserNamespace } from "./userns.ts";

describe("--userns", () => {
  it.each([
    ["", { kind: "default" }],
    ["host", { kind: "host" }],
    ["keep-id", { kind: "keep-id" }],
    ["keep-id:uid=1000", { kind: "keep-id", uid: 1000 }],
    ["keep-id:uid=1000,gid=100", { kind: "keep-id", uid: 1000, gid: 100 }],
  ])("reads %j", (text, mode) => {
    expect(parseUserNamespace(text)).toEqual(mode);
  });

  it.each([
    ["other", "E_USAGE"],
    ["keep-id:uid=x", "E_USAGE"],
    ["keep-id:uid=70000", "E_USAGE"],
    ["keep-id:size=5", "E_USAGE"],
    ["nomap", "E_UNSUPPORTED"],
    ["auto:size=4", "E_UNSUPPORTED"],
  ])("refuses %j", (text, code) => {
    expect(() => parseUserNamespace(text)).toThrow(expect.objectContaining({ code }));
  });
});
