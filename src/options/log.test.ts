// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { expandTag, logLimits, parseLogConfig } from "./log.ts";

describe("parseLogConfig", () => {
  it("is files without flags", () => {
    expect(parseLogConfig(undefined, [])).toEqual({ driver: "json-file", options: {} });
  });

  it("takes the settings' driver, and their options for that driver only", () => {
    const settings = { driver: "local", options: { "max-size": "1m", "max-file": "2" } } as const;
    expect(parseLogConfig(undefined, ["max-file=3"], settings)).toEqual({
      driver: "local",
      options: { "max-size": "1m", "max-file": "3" },
    });
    expect(parseLogConfig("json-file", [], settings)).toEqual({ driver: "json-file", options: {} });
  });

  it.each([
    ["json-file", ["max-size=10m"], 10_000_000, 5],
    ["json-file", ["max-size=1.5k", "max-file=1"], 1500, 1],
    ["json-file", ["max-size=512"], 512, 5],
    ["json-file", ["max-size=2MB"], 2_000_000, 5],
    ["local", ["max-size=10m", "max-file=20"], 10 << 20, 20],
    ["local", [], 10 << 20, 5],
  ])("%s %j has files of %d bytes, %d of them", (driver, words, size, files) => {
    expect(logLimits(parseLogConfig(driver, words))).toEqual({ size, files });
  });

  it.each([
    ["syslog", [], "E_UNSUPPORTED", /no log driver `syslog`: it sends the output to a service/],
    ["nosuch", [], "E_USAGE", /no log driver named 'nosuch'/],
    ["json-file", ["max-sizes=1m"], "E_USAGE", /unknown log opt 'max-sizes' for json-file log driver/],
    ["none", ["max-size=1m"], "E_USAGE", /unknown log opt 'max-size' for none/],
    ["json-file", ["max-size"], "E_USAGE", /invalid logging opts format: max-size/],
    ["json-file", ["max-size=0"], "E_USAGE", /invalid max-size/],
    ["json-file", ["max-file=0"], "E_USAGE", /max-file cannot be less than 1/],
    ["json-file", ["max-file=two"], "E_USAGE", /invalid max-file/],
    ["json-file", ["mode=non-blocking"], "E_UNSUPPORTED", /no output is ever dropped/],
    ["json-file", ["mode=fast"], "E_USAGE", /logging mode not supported: fast/],
    ["json-file", ["max-buffer-size=1m"], "E_USAGE", /only supported in non-blocking mode/],
    ["json-file", ["labels-regex=("], "E_USAGE", /invalid labels-regex/],
    ["json-file", ["tag={{.Nothing}}"], "E_USAGE", /invalid log tag/],
    ["local", ["compress=maybe"], "E_USAGE", /invalid compress/],
  ])("refuses %s %j", (driver, words, code, message) => {
    expect(() => parseLogConfig(driver, words)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

it("expands a tag", () => {
  const fields = { ID: "abc", FullID: "abcdef", Name: "web", ImageID: "1", ImageFullID: "12", ImageName: "app" };
  expect(expandTag("{{.ImageName}}/{{ .Name }}/{{.ID}}@{{.DaemonName}}", fields)).toBe("app/web/abc@tare");
});
