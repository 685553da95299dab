// SPDX-License-Identifier: Apache-2.0
import { readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import { statusOf } from "../host/read.ts";

const MOST_LINKS = 40;

/**
 * Where a path below a root really is, as a path of that root: links in it are followed as a program would that has it
 * as its `/`. Undefined when there is nothing.
 */
export function realPathIn(root: string, path: string): string | undefined {
  let rest = path.split("/");
  let done = "/";
  for (let links = 0; rest.length > 0;) {
    const [name = "", ...others] = rest;
    rest = others;
    const next = posix.join(done, name);
    const status = statusOf(join(root, next));
    if (status === undefined) return undefined;
    if (!status.isSymbolicLink()) {
      done = next;
      continue;
    }
    if (++links > MOST_LINKS) return undefined;
    const target = readlinkSync(join(root, next));
    if (target.startsWith("/")) done = "/";
    rest = [...target.split("/"), ...rest];
  }
  return done;
}
