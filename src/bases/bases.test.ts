// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import { parseSimulation } from "./apt.ts";
import { parseRecipe } from "./recipe.ts";
import {
  chooseMirrors,
  defaultMirrors,
  formatSources,
  parseDeb822Sources,
  parseOneLineSources,
  requireKeyring,
} from "./sources.ts";
import { SUITES, debianArchitecture, findSuite } from "./suites.ts";

function codeOf(action: () => unknown): string {
  try {
    action();
    return "no error";
  } catch (error) {
    return isTareError(error) ? error.code : String(error);
  }
}

describe("recipes", () => {
  it.each([
    ["debian:bookworm-slim", "bookworm", undefined, true],
    ["docker.io/library/debian:12", "bookworm", undefined, false],
    ["debian", "trixie", undefined, false],
    ["debian:unstable-slim", "sid", undefined, true],
    ["ubuntu:24.04", "noble", undefined, true],
    ["ubuntu:jammy", "jammy", undefined, true],
    ["python:3.11-slim", "bookworm", "3.11", true],
    ["python:3.13-slim-trixie", "trixie", "3.13", true],
    ["python:slim", "trixie", "3.13", true],
    ["python:3.10", "jammy", "3.10", false],
  ] as const)("%s is %s", (name, suite, python, slim) => {
    const recipe = parseRecipe(name);
    expect([recipe.suite.name, recipe.python, recipe.slim]).toEqual([suite, python, slim]);
  });

  it.each([
    ["alpine:3", "E_BASE_UNKNOWN"],
    ["debian:hamm", "E_BASE_UNKNOWN"],
    ["debian:bookworm-backports", "E_BASE_UNKNOWN"],
    ["python:2.7-slim", "E_BASE_UNKNOWN"],
    ["python:3.11-slim-trixie", "E_BASE_UNKNOWN"],
    ["python:3.11.4-slim", "E_BASE_UNKNOWN"],
  ] as const)("%s is refused", (name, code) => {
    expect(codeOf(() => parseRecipe(name))).toBe(code);
  });

  it("takes a suite and further packages, sorted, and refuses what is no package name", () => {
    const recipe = parseRecipe("debian:bookworm-slim", { suite: "trixie", packages: ["vim, git", "curl"] });
    expect([recipe.suite.name, recipe.packages]).toEqual(["trixie", ["curl", "git", "vim"]]);
    for (const bad of ["-oDebug=1", "a;b", "../x.deb", "?essential", "Git"]) {
      expect(codeOf(() => parseRecipe("debian:sid", { packages: [bad] }))).toBe("E_USAGE");
    }
  });
});

describe("apt's configuration of the host", () => {
  const deb822 = [
    "# comment",
    "Types: deb deb-src",
    "URIs: http://mirror.example/debian/",
    "Suites: bookworm",
    " bookworm-updates",
    "Components: main contrib",
    "",
    "Types: deb",
    "URIs: http://mirror.example/debian-security",
    "Suites: bookworm-security",
    "Components: main",
    "",
    "Enabled: no",
    "Types: deb",
    "URIs: http://other.example",
    "Suites: x",
  ].join("\n");
  const bookworm = findSuite("debian", "bookworm") ?? expect.unreachable();

  it("is read in both styles", () => {
    expect(parseDeb822Sources(deb822).map((source) => source.suites)).toEqual([
      ["bookworm", "bookworm-updates"],
      ["bookworm-security"],
    ]);
    const lines =
      "deb [arch=amd64 signed-by=/k] http://a/debian bookworm main # x\n# deb http://b c\ndeb-src http://d e f";
    expect(parseOneLineSources(lines)).toEqual([
      { uris: ["http://a/debian"], suites: ["bookworm"], components: ["main"] },
    ]);
  });

  const defaults = { archive: "http://own.example/debian", security: "http://own.example/debian-security" };
  it.each([
    ["the host's", deb822, undefined, "http://mirror.example/debian", "http://mirror.example/debian-security"],
    ["Debian's own", "", undefined, "http://own.example/debian", "http://own.example/debian-security"],
    ["the given one", deb822, "https://m/debian/", "https://m/debian", "https://m/debian-security"],
    ["the given one, fixes from the host's", deb822, "file:///d", "file:///d", "http://mirror.example/debian-security"],
    ["the given one, fixes from Debian", "", "file:///d", "file:///d", "http://own.example/debian-security"],
  ] as const)("chooses %s", (_name, text, mirror, archive, security) => {
    expect(chooseMirrors(bookworm, { host: parseDeb822Sources(text), mirror, defaults })).toEqual({
      archive,
      security,
    });
  });

  it("reads Debian's own mirrors from the program that knows them", () => {
    const program = join(mkdtempSync(join(tmpdir(), "tare-mirrors-")), "mmdebstrap");
    writeFileSync(program, "my $mirror    = 'http://a/debian';\n my $secmirror = 'http://b/security';\n");
    expect(defaultMirrors(program)).toEqual({ archive: "http://a/debian", security: "http://b/security" });
    writeFileSync(program, "#!/bin/sh\n");
    expect(defaultMirrors(program)).toBeUndefined();
    expect(defaultMirrors(`${program}-missing`)).toBeUndefined();
  });

  it("refuses mirrors that are no URL, an unknown Ubuntu archive, and a missing keyring", () => {
    expect(codeOf(() => chooseMirrors(bookworm, { host: [], mirror: "x' main\ndeb evil" }))).toBe("E_USAGE");
    expect(codeOf(() => chooseMirrors(findSuite("ubuntu", "noble") ?? bookworm, { host: [], defaults }))).toBe(
      "E_BASE_SOURCE",
    );
    expect(codeOf(() => requireKeyring("debian", "/nonexistent"))).toBe("E_BASE_SOURCE");
  });

  it("is written for every suite", () => {
    for (const suite of SUITES) {
      const text = formatSources(suite, { archive: "http://a", security: "http://s" }, "/k.gpg");
      expect(parseDeb822Sources(text).length).toBe(suite.security ? 2 : 1);
    }
  });
});

it("reads apt's simulation, sorted by name", () => {
  const text = [
    "NOTE: This is only a simulation!",
    "Inst libc6 (2.36-9 Debian:12.1/stable [amd64]) []",
    "Inst base-files (12.4 Debian:12.1/oldstable, Debian-Security:12 [all])",
    "Conf libc6 (2.36-9 Debian:12.1/stable [amd64])",
  ].join("\n");
  expect(parseSimulation(text)).toEqual([
    { name: "base-files", version: "12.4", architecture: "all" },
    { name: "libc6", version: "2.36-9", architecture: "amd64" },
  ]);
});

it("knows architectures by Debian's and OCI's names", () => {
  expect(["x86_64", "linux/arm64/v8", "armhf", "mips"].map(debianArchitecture)).toEqual([
    "amd64",
    "arm64",
    "armhf",
    undefined,
  ]);
});
