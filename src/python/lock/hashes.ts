// SPDX-License-Identifier: Apache-2.0
/*
 * `--hash` of requirements. uv takes what the index says; here the user's hashes decide, as in pip: files with other
 * hashes are taken out of the lock, and when one requirement has hashes, every package must.
 */
import * as fs from "node:fs";
import { basename } from "node:path";
import { TareError } from "../../base/index.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import type { ResolveRequest } from "./types.ts";

/** Names to their allowed sha256; a requirement with hashes of other kinds alone has none. */
type Allowed = ReadonlyMap<string, ReadonlySet<string>>;

/** The lock with only those files that the requirements' hashes allow. Throws `E_LOCK_HASH`. */
export function withWantedHashes(
  pylock: string,
  request: Pick<ResolveRequest, "files" | "folder">,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const allowed = allowedHashes(request, env);
  if (!allowed) return pylock;
  const [head = "", ...blocks] = pylock.split(/^(?=\[\[packages\]\]$)/m);
  return [head, ...blocks.map((block) => filterBlock(block, allowed))].join("");
}

function allowedHashes(
  { files, folder }: Pick<ResolveRequest, "files" | "folder">,
  env: Readonly<Record<string, string | undefined>>,
): Allowed | undefined {
  const allowed = new Map<string, Set<string>>();
  let isRequired = false;
  for (const file of files.filter((path) => basename(path) !== "pyproject.toml")) {
    const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
    const { requirements, constraints, options } = readRequirements(file, { read, env, cwd: folder });
    isRequired ||= options.requireHashes;
    for (const { requirement, hashes } of [...requirements, ...constraints]) {
      if (!requirement || Object.keys(hashes).length === 0) continue;
      isRequired = true;
      const known = allowed.get(requirement.name) ?? new Set();
      allowed.set(requirement.name, new Set([...known, ...(hashes["sha256"] ?? [])]));
    }
  }
  return isRequired ? allowed : undefined;
}

function filterBlock(block: string, allowed: Allowed): string {
  const name = /^name = "([^"]+)"/m.exec(block)?.[1] ?? "";
  const hashes = allowed.get(name);
  if (!hashes) {
    if (/^(?:directory|vcs) = /m.test(block)) return block;
    throw new TareError("E_LOCK_HASH", `resolving: \`${name}\` is needed, and the requirements give no hash for it`, {
      hint: "when one requirement has hashes, all must: add `--hash=sha256:…` for it, or take all hashes out",
    });
  }
  const isWanted = (file: string): boolean => hashes.has(/sha256 = "([0-9a-f]{64})"/.exec(file)?.[1] ?? "");
  const filtered = block
    .replace(/^wheels = \[([^]*?)\]$/m, (_whole, list: string) => {
      const files = (list.match(FILE) ?? []).filter(isWanted);
      return files.length === 0 ? "" : `wheels = [\n${files.map((file) => `    ${file},\n`).join("")}]`;
    })
    .replace(/^(?:sdist|archive) = .*$/m, (line) => (isWanted(line) ? line : ""));
  if (/^(?:wheels|sdist|archive) = /m.test(filtered)) return filtered.replaceAll(/\n\n+(?=\w)/g, "\n");
  const version = /^version = "([^"]+)"/m.exec(block)?.[1] ?? "";
  throw new TareError(
    "E_LOCK_HASH",
    `resolving: no file of \`${name} ${version}\` on the index has a sha256 that the requirements name`,
    { hint: "the index gives other files than those that were pinned: don't trust it, or pin again" },
  );
}

/** An inline table of a file with its hashes inside. */
const FILE = /\{ (?:[^{}]|\{[^{}]*\})*\}/g;
