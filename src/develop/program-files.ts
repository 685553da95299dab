// SPDX-License-Identifier: Apache-2.0
/* Looks for a program in an image and in what is mounted over it, as the container would find it; nothing is run. */
import * as fs from "node:fs";
import { join, posix } from "node:path";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { SourceMapping } from "./launch-json.ts";
import type { LookUpProgram } from "./python-command.ts";

/** What a container's programs are looked for in. */
export interface ProgramPlace {
  readonly tree: SourceTree;
  /** Bind mounts. */
  readonly mounts: readonly SourceMapping[];
  readonly path: string;
  readonly workdir: string;
}

/** Enough for a first line and the second of scripts with long interpreters. */
const HEAD = 1024;

/** Finds programs by `PATH` or, with a slash, by the working directory. */
export function programLookUp(place: ProgramPlace): LookUpProgram {
  return (program) => {
    const folders = program.includes("/")
      ? [place.workdir]
      : place.path.split(":").filter((each) => each.startsWith("/"));
    for (const folder of program === "" ? [] : folders) {
      const path = posix.resolve(folder, program);
      const head = headOf(place, path);
      if (head !== undefined) return { path, head };
    }
    return undefined;
  };
}

function headOf({ tree, mounts }: ProgramPlace, path: string): string | undefined {
  const mount = mounts
    .filter(({ target }) => path === target || path.startsWith(`${target}/`))
    .toSorted((a, b) => b.target.length - a.target.length)[0];
  if (mount) return readHead(join(mount.source, path.slice(mount.target.length)));
  const entry = tree.lookup(resolveInTree(tree, path.slice(1)));
  return entry?.stats.isFile() ? readHead(entry.hostPath) : undefined;
}

function readHead(path: string): string | undefined {
  let file: number;
  try {
    file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fs.fstatSync(file).isFile()) return undefined;
    const bytes = Buffer.alloc(HEAD);
    return bytes.toString("utf8", 0, fs.readSync(file, bytes));
  } finally {
    fs.closeSync(file);
  }
}
