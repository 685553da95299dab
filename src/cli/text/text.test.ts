// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseMoment } from "../moment.ts";
import { wantsColor } from "../output.ts";
import { alignColumns, wrap } from "./columns.ts";
import { escapeControls, plainText } from "./escape.ts";
import { humanDuration, humanSize, shortId } from "./human.ts";
import { displayWidth, fit } from "./width.ts";

describe("human numbers", () => {
  it.each([
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [1234, "1.234kB"],
    [12_345_678, "12.35MB"],
    [1e15, "1PB"],
  ])("shows %i bytes as %s", (bytes, text) => expect(humanSize(bytes)).toBe(text));

  it.each([
    [0, "Less than a second"],
    [1000, "1 second"],
    [59_999, "59 seconds"],
    [60_000, "About a minute"],
    [46 * 60_000, "46 minutes"],
    [3600_000, "About an hour"],
    [47 * 3600_000, "47 hours"],
    [3 * 86_400_000, "3 days"],
    [20 * 86_400_000, "2 weeks"],
    [90 * 86_400_000, "3 months"],
    [800 * 86_400_000, "2 years"],
  ])("shows %i ms as %s", (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));

  it("shortens ids with and without an algorithm", () => {
    expect([shortId(`sha256:${"a".repeat(64)}`), shortId("b".repeat(64))]).toEqual(["a".repeat(12), "b".repeat(12)]);
  });
});

describe("text on a terminal", () => {
  it.each([
    ["abc", 3],
    ["漢字", 4],
    ["👍🏽", 2],
    ["e\u0301", 1],
    ["", 0],
  ])("measures %j", (text, width) => expect(displayWidth(text)).toBe(width));

  it.each([
    ["abcdef", 4, "abc…"],
    ["abcd", 4, "abcd"],
    ["漢字漢字", 5, "漢字…"],
    ["漢字漢字", 4, "漢…"],
    ["x", 0, ""],
  ])("fits %j into %i columns", (text, columns, expected) => expect(fit(text, columns)).toBe(expected));

  it("removes escape sequences", () => {
    expect(
      plainText("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link\u0008\u001b(B"),
    ).toBe("red xlink");
    expect(plainText("a\tb")).toBe("a       b");
  });

  it("makes control characters visible", () => {
    expect(escapeControls("a\u001b[2J\r\u202eb\n")).toBe("a\\x1b[2J\\r\\u202eb\n");
  });

  it("aligns columns without blanks at line ends", () => {
    expect(
      alignColumns([
        ["A", "B"],
        ["漢字", ""],
        ["x", "y"],
      ]),
    ).toBe("A      B\n漢字\nx      y\n");
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  });

  it.each([
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ TERM: "dumb" }, true, false],
    [{}, true, true],
    [{}, false, false],
  ])("decides on colours for %j", (env, isTerminal, expected) => expect(wantsColor(env, isTerminal)).toBe(expected));
});

describe("points in time", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  it.each([
    ["1h30m", now - 5_400_000],
    ["500ms", now - 500],
    ["1700000000.5", 1_700_000_000_500],
    ["2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:00Z")],
    ["2026-01-01T00:00:00.5+02:00", Date.parse("2025-12-31T22:00:00.500Z")],
  ])("reads %s", (text, at) => expect(parseMoment("--since", text, now)).toBe(at));

  it.each(["", "yesterday", "5x", "2026-13-01", "1h 2m"])("refuses %j", (text) => {
    expect(() => parseMoment("--since", text, now)).toThrow(/invalid value/);
  });
});
