// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cdiDirectoriesSetting, debugImage, logDefaults, publishAddress } from "./user-settings.ts";

let folder = "";
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-settings-"));
  fs.mkdirSync(join(folder, "tare"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function settings(value: unknown): { readonly env: { readonly XDG_CONFIG_HOME: string } } {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  fs.writeFileSync(join(folder, "tare/settings.json"), text);
  return { env: { XDG_CONFIG_HOME: folder } };
}

describe("the user's settings", () => {
  it("are the usual without a file", () => {
    const none = { env: { XDG_CONFIG_HOME: join(folder, "nothing") } };
    expect([publishAddress(none), debugImage(none), logDefaults(none)]).toEqual(["127.0.0.1", undefined, undefined]);
  });

  it("may be nested or written with dots", () => {
    expect(publishAddress(settings({ publish: { address: "0.0.0.0" } }))).toBe("0.0.0.0");
    expect(debugImage(settings({ "debug.image": "tools" }))).toBe("tools");
    expect(cdiDirectoriesSetting(settings({ cdi: { directories: ["/a", "/b"] } }))).toEqual(["/a", "/b"]);
    expect(cdiDirectoriesSetting(settings({ cdi: { directories: [""] } }))).toEqual([]);
    const log = { log: { driver: "local", options: { "max-size": "1m", "max-file": 2 } } };
    expect(logDefaults(settings(log))).toEqual({ driver: "local", options: { "max-size": "1m", "max-file": "2" } });
    expect(logDefaults(settings({ "log.options.max-file": 9 }))).toEqual({
      driver: "json-file",
      options: { "max-file": "9" },
    });
  });

  it.each([
    ["an unknown setting", { "publish.adress": "x" }, publishAddress, /unknown setting `publish.adress`/],
    ["no JSON", "{", publishAddress, /not a JSON object/],
    ["no address", { "publish.address": "here" }, publishAddress, /`here`, which is no address/],
    ["a relative folder", { "cdi.directories": ["cdi"] }, cdiDirectoriesSetting, /`cdi`, which is no absolute path/],
    ["a number", { "debug.image": 1 }, debugImage, /`debug.image` is not text/],
    ["an unknown driver", { "log.driver": "nosuch" }, logDefaults, /no log driver named 'nosuch'/],
    ["an unknown option", { "log.options.size": "1m" }, logDefaults, /unknown log opt 'size'/],
  ] as const)("refuse %s", (_name, value, read, message) => {
    const wrong = settings(value);
    expect(() => read(wrong)).toThrow(
      expect.objectContaining({ code: "E_SETTINGS", message: expect.stringMatching(message) }),
    );
  });
});
