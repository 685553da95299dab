// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { MEDIA_TYPES, formatPlatform, hostPlatform, matchesPlatform, parsePlatform, selectManifest } from "./index.ts";
import type { Descriptor, ImageIndex, Platform } from "./index.ts";

const host = hostPlatform("x64");

const entry = (name: string, platform?: Platform, annotations?: Readonly<Record<string, string>>): Descriptor => ({
  mediaType: MEDIA_TYPES.ociManifest,
  digest: digestOf(name),
  size: 1,
  ...(platform === undefined ? {} : { platform }),
  ...(annotations === undefined ? {} : { annotations }),
});
const indexOf = (...names: string[]): ImageIndex => ({
  schemaVersion: 2,
  manifests: names.map((name) => entry(name, parsePlatform(name, host))),
});

describe("parsePlatform", () => {
  it.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["Linux/AMD64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["aarch64", "linux/arm64"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/armhf", "linux/arm/v7"],
    ["linux/arm/7", "linux/arm/v7"],
    ["armel", "linux/arm/v6"],
    ["i386", "linux/386"],
    ["macos/arm64", "darwin/arm64"],
    ["linux", "linux/amd64"],
    ["local", "linux/amd64"],
    ["windows(10.0.17763)/amd64", "windows/amd64"],
  ])("%s is %s", (text, wanted) => {
    expect(formatPlatform(parsePlatform(text, host))).toBe(wanted);
  });

  it("keeps the Windows version", () => {
    expect(parsePlatform("windows(10.0.17763)/amd64", host)["os.version"]).toBe("10.0.17763");
  });

  it.each(["", "a/b/c/d", "linux/", "/amd64", "linux/am d64", "nothing", "linux/amd64\n", "*"])(
    "refuses %j",
    (text) => {
      expect(() => parsePlatform(text, host)).toThrow("parsing platform");
    },
  );

  it("suggests for a typo", () => {
    expect(() => parsePlatform("amd46", host)).toThrow(expect.objectContaining({ hint: "did you mean amd64?" }));
  });
});

describe("selectManifest", () => {
  it.each([
    [["linux/arm64", "linux/amd64"], "linux/amd64", "linux/amd64"],
    [["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v3", "linux/amd64/v2"],
    [["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", "linux/arm/v6"],
    [["linux/arm/v7", "linux/386"], "linux/arm64", "linux/arm/v7"],
    [["windows(10.0.1.5)/amd64", "windows(10.0.2.9)/amd64"], "windows(10.0.2)/amd64", "windows(10.0.2.9)/amd64"],
  ])("of %j for %s takes %s", (names, wanted, chosen) => {
    expect(selectManifest(indexOf(...names), parsePlatform(wanted, host)).digest).toBe(digestOf(chosen));
  });

  it("passes over attestations and lists what there is", () => {
    const unknown = entry("a", { os: "unknown", architecture: "unknown" });
    const index: ImageIndex = { schemaVersion: 2, manifests: [unknown, ...indexOf("linux/s390x").manifests] };
    expect(() => selectManifest(index, host)).toThrow("available: linux/s390x");
    expect(selectManifest({ schemaVersion: 2, manifests: [unknown, entry("only")] }, host).digest).toBe(
      digestOf("only"),
    );
  });

  it("knows what a machine runs", () => {
    expect(matchesPlatform(host, parsePlatform("linux/386", host))).toBe(true);
    expect(matchesPlatform(host, parsePlatform("linux/arm64", host))).toBe(false);
  });
});
