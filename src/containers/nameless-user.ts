// SPDX-License-Identifier: Apache-2.0
/*
 * A user by number that the image does not know (`--user 123456`, as OpenShift gives one): programs that ask who they
 * are would fail, and Docker's home for him is `/`, where he can't write. He gets a line in /etc/passwd, and a home of
 * the container's own where nothing sets HOME. The image's files stay as they are.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDirectory, ioError } from "../base/index.ts";
import type { ResolvedUser, SpecMount } from "../runtime/index.ts";
import { readFileInTree } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";

/** Where the home of a user without one is in the container. */
const HOME = "/home/tare";
const PASSWD = "/etc/passwd";

/** A user that is not root and in no /etc/passwd. */
function isNameless({ uid, home }: ResolvedUser): boolean {
  return uid !== 0 && home === undefined;
}

/**
 * `HOME` of the user at the end, unless the environment has one. `first` is who the container's first process runs as:
 * only then is there a home for a nameless one.
 */
export function withHome(env: readonly string[], user: ResolvedUser, first: ResolvedUser = user): readonly string[] {
  if (env.some((entry) => entry.startsWith("HOME="))) return env;
  return [...env, `HOME=${isNameless(user) && isNameless(first) ? HOME : user.home || "/"}`];
}

/** What is mounted for a nameless user; nothing for others. `env` is that of his process. Throws `E_IO`. */
export function namelessMounts(
  place: { readonly folder: string; readonly tree: SourceTree },
  user: ResolvedUser,
  env: readonly string[],
): readonly SpecMount[] {
  if (!isNameless(user)) return [];
  const home = env.find((entry) => entry.startsWith("HOME="))?.slice("HOME=".length) ?? "/";
  try {
    const passwd = join(ensured(join(place.folder, "etc"), 0o755), "passwd");
    const known = readFileInTree(place.tree, PASSWD.slice(1))?.toString("utf8") ?? "";
    writeFileSync(passwd, withLine(known, user, home), { mode: 0o644 });
    const mounts: SpecMount[] = [{ destination: PASSWD, type: "bind", source: passwd, options: ["rw"] }];
    if (home !== HOME) return mounts;
    const folder = ensured(join(place.folder, "home"), 0o700);
    // Others that `exec -u` brings write here too.
    chmodSync(folder, 0o1777);
    return [...mounts, { destination: HOME, type: "bind", source: folder, options: ["rw"] }];
  } catch (error) {
    throw ioError(`making a home for the user ${user.uid} in \`${place.folder}\``, error);
  }
}

function ensured(path: string, mode: number): string {
  ensureDirectory(path, mode);
  return path;
}

/** A passwd text with a line for the user. */
export function withLine(passwd: string, { uid, gid }: Pick<ResolvedUser, "uid" | "gid">, home: string): string {
  const lines = passwd === "" || passwd.endsWith("\n") ? passwd : `${passwd}\n`;
  // A colon or a line feed in HOME would forge fields.
  const safe = /^[^:\n]+$/.test(home) ? home : "/";
  return `${lines}${uid}:*:${uid}:${gid}:container user:${safe}:/bin/sh\n`;
}
