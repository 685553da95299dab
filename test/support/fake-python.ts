// SPDX-License-Identifier: Apache-2.0
/* A base that looks like Python's to who only reads files: no root is needed to build it, and nothing in it runs. */
import { join } from "node:path";
import type { ProgramWorld } from "./program.ts";

const FILES: Readonly<Record<string, string>> = {
  "tree/usr/local/bin/python3.11": "#!/bin/false\n",
  "tree/usr/local/bin/python3": "#!/bin/false\n",
  "tree/usr/local/lib/python3.11/os.py": "",
  "tree/usr/lib/libc.so.6": "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n",
};

/** Builds `pybase`; more lines of the Dockerfile may follow. */
export function addFakePython(world: ProgramWorld, lines = ""): void {
  const dockerfile = `FROM scratch\nCOPY tree /\nENV PATH=/usr/local/bin PYTHON_VERSION=3.11.9\n${lines}`;
  world.files("pybase", { ...FILES, Dockerfile: dockerfile });
  world.ok("build", "-q", "-t", "pybase", join(world.folder, "pybase"));
}
