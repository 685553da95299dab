// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, execute, hostEnvironment, removeTree } from "../base/index.ts";
import { redact } from "./download.ts";

/** A repository and what to take of it. */
export interface GitSource {
  readonly remote: string;
  readonly ref?: string;
  readonly subdirectory?: string;
  readonly keepGitDirectory?: boolean;
  readonly checksum?: string;
  readonly submodules?: boolean;
}

/** Nothing of the repository or of the user's settings may run a program here. */
const SAFE = [
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "protocol.allow=never",
  "-c",
  "protocol.https.allow=always",
  "-c",
  "protocol.http.allow=always",
  "-c",
  "protocol.ssh.allow=always",
  "-c",
  "protocol.git.allow=always",
  "-c",
  "protocol.file.allow=user",
  "-c",
  "core.symlinks=true",
  "-c",
  "advice.detachedHead=false",
  "-c",
  "init.defaultBranch=main",
] as const;

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** The commit that a source's ref stands for now, asked of the remote. Throws `E_GIT`. */
export async function resolveCommit(source: GitSource, signal: AbortSignal): Promise<string> {
  const ref = checkedRef(source.ref ?? "HEAD");
  if (COMMIT.test(ref)) return ref;
  const listing = await git(["ls-remote", "--", source.remote, ref, `${ref}^{}`], source, signal);
  const rows = listing.split("\n").map((line) => line.split("\t"));
  const names = [`refs/tags/${ref}^{}`, `refs/tags/${ref}`, `refs/heads/${ref}`, `${ref}^{}`, ref];
  const found = names.map((name) => rows.find((row) => row[1] === name)?.[0]).find((commit) => commit !== undefined);
  if (found === undefined)
    throw new TareError("E_GIT", `fetching ${redact(source.remote)}: no branch, tag or commit \`${ref}\``, {
      hint: `\`git ls-remote ${redact(source.remote)}\` lists what is there`,
    });
  return found;
}

/** Checks a commit out into the new folder `folder`, the subdirectory only when one is named. Throws `E_GIT`, `E_CHECKSUM`. */
export async function checkout(source: GitSource, commit: string, folder: string, signal: AbortSignal): Promise<void> {
  if (source.checksum !== undefined && !commit.startsWith(source.checksum)) {
    throw new TareError("E_CHECKSUM", `expected checksum to match ${source.checksum}, got ${commit}`);
  }
  const work = source.subdirectory ? `${folder}.git-checkout` : folder;
  fs.mkdirSync(work);
  const inWork = (args: readonly string[]): Promise<string> => git(["-C", work, ...args], source, signal);
  await inWork(["init", "--quiet"]);
  await inWork(["remote", "add", "origin", source.remote]);
  await fetchCommit(inWork, source, commit);
  await inWork(["checkout", "--quiet", "--force", "FETCH_HEAD"]);
  if (source.submodules !== false && fs.existsSync(join(work, ".gitmodules"))) {
    await inWork(["submodule", "update", "--init", "--recursive", "--depth=1", "--quiet"]);
  }
  if (!source.keepGitDirectory) removeTree(join(work, ".git"));
  if (!source.subdirectory) return;
  fs.renameSync(subfolder(work, source), folder);
  removeTree(work);
}

/** Some servers refuse a bare commit; then the ref is fetched, which must still lead to that commit. */
async function fetchCommit(
  inWork: (args: readonly string[]) => Promise<string>,
  source: GitSource,
  commit: string,
): Promise<void> {
  try {
    await inWork(["fetch", "--quiet", "--depth=1", "--no-tags", "origin", commit]);
  } catch (error) {
    const ref = checkedRef(source.ref ?? "HEAD");
    await inWork([
      "fetch",
      "--quiet",
      "--no-tags",
      "origin",
      ref === commit ? "+refs/heads/*:refs/remotes/origin/*" : ref,
    ]);
    if (ref === commit) await inWork(["update-ref", "FETCH_HEAD", commit]);
    const got = (await inWork(["rev-parse", "FETCH_HEAD^{commit}"])).trim();
    if (got !== commit) throw error;
  }
}

function subfolder(work: string, source: GitSource): string {
  let path = work;
  for (const name of (source.subdirectory ?? "").split("/").filter((part) => part !== "" && part !== ".")) {
    path = join(path, name);
    const isFolder = name !== ".." && fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory();
    if (!isFolder)
      throw new TareError(
        "E_GIT",
        `taking \`${source.subdirectory}\` of ${redact(source.remote)}: not a directory of the repository`,
      );
  }
  return path;
}

function checkedRef(ref: string): string {
  const isBad = ref.startsWith("-") || /[\s~^:?*[\\\p{Cc}]/u.test(ref) || ref.includes("..");
  if (isBad) throw new TareError("E_GIT", `\`${ref}\` is not a git branch, tag or commit`);
  return ref;
}

/** git has one exit code for all failures; with LC_ALL=C these are its words, curl's and ssh's for "nobody answered". */
const UNREACHABLE =
  /could not resolve host|failed to connect|unable to look up|unable to connect|network is unreachable|temporary failure in name resolution|connection refused|connection timed out|no route to host/i;

async function git(args: readonly string[], source: GitSource, signal: AbortSignal): Promise<string> {
  const env = { ...hostEnvironment(), GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1", LC_ALL: "C" };
  const result = await execute("git", [...SAFE, ...args], { env, signal });
  if (result.code === 0) return result.stdout;
  const last = result.stderr.trim().split("\n").at(-1) ?? "";
  throw new TareError(
    "E_GIT",
    `fetching ${redact(source.remote)}: ${last.replaceAll(source.remote, redact(source.remote))}`,
    {
      hint: "check the address, the branch and your access to the repository",
      details: { unreachable: UNREACHABLE.test(result.stderr) },
    },
  );
}
