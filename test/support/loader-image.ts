// SPDX-License-Identifier: Apache-2.0
/* A small image with the dynamic loader of this host's distribution and a Python that can load libraries. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { whyNoBusybox } from "./bases.ts";
import { missingProgram, runProgram } from "./peer-program.ts";
import { addBusyboxImage } from "./program.ts";
import type { ProgramWorld } from "./program.ts";

/** The program itself, then the modules that it has loaded. */
const LOADED = `
import os, sys, ctypes
print(os.path.realpath(sys.executable))
print('\\n'.join(m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)))`;

/** Why the image can't be made here; undefined when it can. */
export function whyNoLoaderImage(): string | undefined {
  const missing = missingProgram("python3");
  return whyNoBusybox() ?? (missing === undefined ? undefined : `${missing} is not installed`);
}

/** Builds `loader`: busybox, and a `python3` with ctypes. */
export function addLoaderImage(world: ProgramWorld): void {
  addBusyboxImage(world);
  const context = join(world.folder, "loader");
  const [python = "", ...modules] = runProgram("python3", ["-I", "-S", "-c", LOADED]).trim().split("\n");
  const objects = [python, ...modules.filter((path) => path.endsWith(".so"))];
  for (const path of [python, ...modules, ...librariesOf(objects)]) copy(path, join(context, "tree", path));
  const script = `#!/bin/sh\nexec ${python} -I -S -B "$@"\n`;
  fs.mkdirSync(join(context, "tree/bin"), { recursive: true });
  fs.writeFileSync(join(context, "tree/bin/python3"), script, { mode: 0o755 });
  fs.writeFileSync(join(context, "Dockerfile"), "FROM busybox\nCOPY tree /\n");
  world.ok("build", "-q", "-t", "loader", context);
}

/** What they are linked with, the loader too, under the names that it looks for. */
function librariesOf(objects: readonly string[]): readonly string[] {
  const lines = runProgram("ldd", objects).split("\n");
  const paths = lines.flatMap((line) => /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return [...new Set(paths)];
}

function copy(from: string, to: string): void {
  fs.mkdirSync(dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
}
