// SPDX-License-Identifier: Apache-2.0
/* Which files of a project do not count as its sources. */
import { join } from "node:path";
import { readTextIfPresent } from "../base/index.ts";
import { createIgnore, readIgnoreFile } from "../dockerfile/index.ts";
import type { IgnoreFilter } from "../dockerfile/index.ts";

/** What no program is made of: histories, caches, environments, and what editors leave while they save. */
const NEVER = [
  ".git .hg .svn __pycache__ .venv venv node_modules .mypy_cache .pytest_cache .ruff_cache .tox .nox .idea .vscode",
  ".ipynb_checkpoints *.pyc *.pyo *.swp *.swx *.swo *~ .#* 4913 .DS_Store",
].flatMap((line) => line.split(" ").map((name) => `**/${name}`));

/** The filter of a project: its `.dockerignore`, its `.gitignore`, and what never counts. Throws `E_PATTERN`, `E_IO`. */
export function watchIgnore(root: string): IgnoreFilter {
  const docker = readTextIfPresent(join(root, ".dockerignore")) ?? "";
  const git = readTextIfPresent(join(root, ".gitignore")) ?? "";
  return createIgnore([...readIgnoreFile(docker), ...gitPatterns(git), ...NEVER]);
}

/**
 * The lines of a `.gitignore` as patterns of a `.dockerignore` (gitignore(5)): without a slash before its end a pattern
 * counts at every depth, otherwise from the top.
 */
export function gitPatterns(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, negation = "", body = ""] = /^(!?)(.*)$/.exec(line.replace(/(?<!\\) +$/, "")) ?? [];
    if (body === "" || line.startsWith("#")) return [];
    const pattern = body.replace(/^\\([#!])/, "$1").replace(/\/+$/, "");
    if (pattern === "") return [];
    return [pattern.includes("/") ? `${negation}${pattern.replace(/^\//, "")}` : `${negation}**/${pattern}`];
  });
}
