// SPDX-License-Identifier: Apache-2.0
/* Which files of a project's folder go into its image, and what the user should know of them. */
import * as fs from "node:fs";
import { join } from "node:path";
import { megabytes, readTextIfPresent } from "../base/index.ts";
import { createIgnore, readIgnoreFile } from "../dockerfile/index.ts";
import type { Project } from "../project/index.ts";
import type { IgnoreFilter, LocalSource } from "../solver/index.ts";

/** What does not belong into an image; `.dockerignore`, `exclude` and `include` may say otherwise. */
const LEFT_OUT: readonly string[] = [
  "**/.git",
  "**/__pycache__",
  "**/*.pyc",
  "**/.venv",
  "**/venv",
  "**/node_modules",
  "**/.mypy_cache",
  "**/.ruff_cache",
  "**/.pytest_cache",
  "**/.tox",
  "**/.nox",
  "**/.ipynb_checkpoints",
  "**/.DS_Store",
  "**/*.egg-info",
  ".dockerignore",
  "tare.lock",
];

/** Files of secrets by their usual names: in no image, whatever else is said. */
const SECRETS: readonly string[] = [
  "**/.env",
  "**/.env.*",
  "!**/.env.example",
  "!**/.env.sample",
  "!**/.env.template",
  "**/.netrc",
  "**/.pypirc",
  "**/.git-credentials",
  "**/.ssh",
  "**/id_rsa",
  "**/id_ecdsa",
  "**/id_ed25519",
  "**/.aws",
  "**/.streamlit/secrets.toml",
];

/** The project's files as a build context. */
export function projectContext(root: string, project: Project): LocalSource {
  return { root, filter: createIgnore(ignorePatterns(root, project)) };
}

/** What is left out: the usual, then what `.dockerignore` and `[tool.tare]` say, then secrets. */
export function ignorePatterns(root: string, project: Project): readonly string[] {
  const { config } = project;
  const text = readTextIfPresent(join(root, ".dockerignore"));
  const own = text === undefined ? [] : readIgnoreFile(text);
  const included = config.include.map((pattern) => `!${pattern}`);
  return [...LEFT_OUT, ...lists(project), ...own, ...config.exclude, ...included, ...SECRETS];
}

/**
 * What is installed stands in the image's metadata: a changed pin changes one layer, and not that of the sources too.
 * Files that a build of the project may read stay.
 */
function lists({ dependencies, own }: Project): readonly string[] {
  switch (dependencies.kind) {
    case "lock":
    case "pins":
      return dependencies.files;
    case "requirements":
      return own === undefined ? dependencies.files : [];
    case "lines":
    case "pyproject":
    case "none":
      return [];
  }
}

/** Something that the user should know. */
export interface ContextWarning {
  readonly rule: string;
  readonly message: string;
}

const LARGE = 100e6;

/** Secrets that are left out, and large files that are not. */
export function contextWarnings(source: LocalSource): readonly ContextWarning[] {
  return [...secretWarnings(source.root), ...largeWarnings(source)];
}

function secretWarnings(root: string): readonly ContextWarning[] {
  if (!fs.existsSync(join(root, ".env"))) return [];
  const message = "`.env` is not put into the image; give it to the container: `tare run --env-file .env …`";
  return [{ rule: "SecretsLeftOut", message }];
}

function largeWarnings({ root, filter }: LocalSource): readonly ContextWarning[] {
  const found = largeFiles(root, filter).sort((a, b) => b.size - a.size);
  if (found.length === 0) return [];
  const names = found.slice(0, 3).map(({ path, size }) => `${path} (${megabytes(size)})`);
  const more = found.length > 3 ? ` and ${found.length - 3} more` : "";
  const message = `large files go into the image: ${names.join(", ")}${more}; to mount them instead, name them in \`exclude\` of [tool.tare] or in .dockerignore`;
  return [{ rule: "LargeFiles", message }];
}

interface LargeFile {
  readonly path: string;
  readonly size: number;
}

/** Weights lie near the top; a look at every file of a large tree would cost more than it tells. */
const DEEPEST = 4;
const MOST = 20_000;

function largeFiles(root: string, filter: IgnoreFilter | undefined): LargeFile[] {
  const found: LargeFile[] = [];
  let left = MOST;
  const look = (folder: string, depth: number): void => {
    for (const entry of fs.readdirSync(join(root, folder), { withFileTypes: true })) {
      left -= 1;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (left < 0 || filter?.excludes(path, entry.isDirectory()) === true) continue;
      if (entry.isDirectory() && depth < DEEPEST) look(path, depth + 1);
      const size = entry.isFile() ? (fs.statSync(join(root, path), { throwIfNoEntry: false })?.size ?? 0) : 0;
      if (size >= LARGE) found.push({ path, size });
    }
  };
  look("", 0);
  return found;
}
