// SPDX-License-Identifier: Apache-2.0
/* docs/projects.md lists what the code knows, and the example is what it says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CONFIG_KEYS } from "../src/project/config.ts";
import { FRAMEWORKS } from "../src/project/servers.ts";
import { SIGNS, findCommand, readProject } from "../src/project/index.ts";
import { folderReader } from "../src/build/project-reader.ts";

const text = readFileSync(join(import.meta.dirname, "../docs/projects.md"), "utf8");

it("has every key of [tool.tare], in the order of the code", () => {
  const [, section = ""] = /^## `\[tool\.tare\]`$([^]*?)^## /m.exec(text) ?? [];
  const keys = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, key]) => key);
  expect(keys).toEqual([...CONFIG_KEYS, "targets"]);
});

it("has every sign of a project and every framework", () => {
  for (const sign of SIGNS) expect(text).toContain(`\`${sign}\``);
  for (const { name } of FRAMEWORKS) expect(text).toMatch(new RegExp(`\\b${name}\\b`));
});

it("has an example that is served", () => {
  const folder = join(import.meta.dirname, "../examples/api");
  const reader = folderReader(folder);
  const project = readProject(reader, { folder, fallbackName: "api" });
  expect(project?.dependencies).toMatchObject({ kind: "pyproject", requested: ["fastapi", "uvicorn"] });
  const { found } = project ? findCommand(reader, project, () => true) : {};
  expect(found).toMatchObject({ value: expect.arrayContaining(["uvicorn", "main:app"]), ports: ["8000"] });
});
