// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { planBefore } from "./before-wheels.ts";
import { readUvLock, readUvSync, replacedByUv } from "./uv-answers.ts";
import type { Install } from "./assess.ts";
import type { DryRun } from "./dry-run.ts";
import type { InstallerCommand } from "./installer-command.ts";

const SHA256 = "a".repeat(64);
const TARGET: DryRun["target"] = {
  implementation: "cpython",
  version: "3.11.2",
  architecture: "amd64",
  libc: { kind: "glibc", version: "2.36" },
  executable: "/app/.venv/bin/python",
  scheme: { purelib: "/l", platlib: "/l", scripts: "/b", headers: "/h", data: "/d" },
};

/** A lock with a wheel `six`, an sdist `source`, a wheel by URL `direct`, and a folder `mine`. */
const LOCK = `lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "six"
version = "1.0"
wheels = [{ url = "https://e.org/six-1.0-py3-none-any.whl", hashes = { sha256 = "${SHA256}" } }]
[[packages]]
name = "source"
version = "1.0"
sdist = { url = "https://e.org/source-1.0.tar.gz", hashes = { sha256 = "${SHA256}" } }
[[packages]]
name = "direct"
version = "1.0"
archive = { url = "https://e.org/direct-1.0-py3-none-any.whl", hashes = { sha256 = "${SHA256}" } }
[[packages]]
name = "mine"
directory = { path = ".", editable = true }
`;

function answer(...lines: readonly string[]): DryRun {
  const log = `Would use project environment at: .venv\n${lines.join("\n")}\n`;
  return { target: TARGET, replaced: new Map(), compiles: false, text: LOCK, log, cache: "" };
}

function namesOf(reading: ReturnType<typeof readUvSync>): unknown {
  return "reason" in reading ? reading.reason : reading.wheels.map(({ name }) => name);
}

describe("readUvSync", () => {
  it.each([
    ["a wheel of an index", [" + six==1.0"], ["six"]],
    ["nothing for what is there", [" - six==1.0"], []],
    ["nothing for another version than the lock has", [" + six==1.1"], []],
    ["only the wheels", [" + six==1.0", " + source==1.0", " + direct==1.0 (from https://e.org/d.whl)"], ["six"]],
    ["not the project", [" + mine==1 (from file:///app)", " + mine @ file:///app"], []],
    ["a reason for what is installed again", [" ~ six==1.0"], "it installs again what is there"],
  ])("gives %s", (_title, lines, expected) => {
    expect(namesOf(readUvSync(answer(...lines)))).toEqual(expected);
  });

  it("notes all as requested, as uv does", () => {
    expect(readUvSync(answer(" + six==1.0"))).toMatchObject({
      wheels: [{ isRequested: true, digest: `sha256:${SHA256}` }],
    });
  });
});

describe("readUvLock", () => {
  it.each([
    ["what comes from a URL", [" + six==1.0 (from https://e.org/six.whl)"], "it installs from a URL or a folder"],
    ["what is built", [" + source==1.0"], "source has no wheel here and is built from its sources"],
    ["nothing", [], []],
  ])("reads %s", (_title, lines, expected) => {
    const text = LOCK.replace(/\[\[packages\]\]\nname = "(?:six|direct|mine)"\n(?:[^[\n].*\n)+/g, "");
    expect(namesOf(readUvLock({ ...answer(...lines), text }))).toEqual(expected);
  });
});

it("finds what uv takes out", () => {
  expect(replacedByUv(" - six==1.0\n ~ idna==3\n + six==2\nother - x\n - mine @ file:///x\n")).toEqual([
    "six",
    "idna",
    "mine",
  ]);
});

describe("planBefore", () => {
  const command = (tool: InstallerCommand["tool"]): InstallerCommand => ({
    tool,
    program: ["uv"],
    compile: false,
    indexOptions: [],
    breaksSystem: false,
    isSystem: true,
  });
  const install = (tool: InstallerCommand["tool"], text: string): Install => ({ command: command(tool), text });
  const files = [{ name: "Six", version: "2", isRequested: true, file: { fileName: "six-2-py3-none-any.whl" } }];
  const replacing = answer(" - six==1.0", " + six==2");

  it.each([
    ["nothing for pip", install("pip", "pip install six"), answer(), []],
    ["nothing for uv where nothing is replaced", install("uv", "uv pip install six"), answer(" + six==2"), []],
    ["an uninstall", install("uv", "uv pip install six"), replacing, ["uv pip uninstall --system six"]],
    ["nothing certain after variables", install("uv", "A=1 uv pip install six"), replacing, "it replaces six"],
    ["uv sync itself", install("uv sync", "uv sync"), replacing, ["uv sync --no-install-package six"]],
    ["no removal with --inexact", install("uv sync", "uv sync --inexact"), replacing, "it replaces six"],
  ])("runs %s", (_title, asked, told, expected) => {
    const plan = planBefore(asked, told, files);
    expect("reason" in plan ? plan.reason : plan.runs).toEqual(expected);
  });
});
