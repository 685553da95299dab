// SPDX-License-Identifier: Apache-2.0
import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";

const shown = (header: string): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe("WWW-Authenticate", () => {
  it.each([
    ['Bearer realm="https://a/t",service="s"', [["bearer", { realm: "https://a/t", service: "s" }]]],
    ['Bearer realm="r", scope="repository:a:pull,push"', [["bearer", { realm: "r", scope: "repository:a:pull,push" }]]],
    ['Basic realm="x"', [["basic", { realm: "x" }]]],
    ["Basic", [["basic", {}]]],
    ["BEARER Realm=r", [["bearer", { realm: "r" }]]],
    [
      'Negotiate, Basic realm="a, b", Bearer realm="r"',
      [
        ["negotiate", {}],
        ["basic", { realm: "a, b" }],
        ["bearer", { realm: "r" }],
      ],
    ],
    ['Bearer realm="a\\"b"', [["bearer", { realm: 'a"b' }]]],
    ['Bearer realm = "r" , service = s', [["bearer", { realm: "r", service: "s" }]]],
    ['Bearer realm="open', [["bearer", {}]]],
    ["", []],
    ["=x", []],
  ])("%s", (header, expected) => {
    expect(shown(header)).toEqual(expected);
  });

  it("of any text ends", () => {
    assert(property(string({ maxLength: 200 }), (text) => Array.isArray(parseChallenges(text))));
  });
});
