// SPDX-License-Identifier: Apache-2.0
/* Tools for containers that have none: this machine's busybox, if it needs nothing but itself. */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, digestOf, ensureDirectory, execute, hexOf, removeTree } from "../base/index.ts";
import type { Store } from "../store/index.ts";

const PLACES = ["/bin/busybox", "/usr/bin/busybox", "/usr/local/bin/busybox"];
const MACHINE_64 = 2;
/** Program header: the path of a dynamic loader. */
const PT_INTERP = 3;

/**
 * A folder `bin/` with busybox and a link for each of its programs, made once for each busybox: a copy, so that nothing
 * in a container ever has this machine's file. Throws `E_NO_TOOLS` where there is no static one.
 */
export async function busyboxTools(store: Store, places: readonly string[] = PLACES): Promise<string> {
  const found = places.find((path) => fs.existsSync(path) && isStatic(path));
  if (found === undefined) throw noTools(places.some((path) => fs.existsSync(path)));
  const folder = join(store.root, "cache", "tools", `busybox-${hexOf(digestOf(fs.readFileSync(found))).slice(0, 16)}`);
  if (!fs.existsSync(folder)) await fill(folder, found);
  return folder;
}

async function fill(folder: string, busybox: string): Promise<void> {
  const partial = `${folder}.${process.pid}.partial`;
  const { stdout } = await execute(busybox, ["--list"], { env: {} });
  removeTree(partial);
  ensureDirectory(join(partial, "bin"), 0o755);
  fs.chmodSync(partial, 0o755);
  fs.copyFileSync(busybox, join(partial, "bin", "busybox"));
  fs.chmodSync(join(partial, "bin", "busybox"), 0o755);
  for (const name of stdout.split("\n").filter((line) => /^[\w.[-]+$/.test(line) && line !== "busybox")) {
    fs.symlinkSync("busybox", join(partial, "bin", name));
  }
  if (!fs.existsSync(folder)) fs.renameSync(partial, folder);
}

/** True for a 64-bit ELF program without a dynamic loader. */
function isStatic(path: string): boolean {
  const header = Buffer.alloc(4096);
  const file = fs.openSync(path, "r");
  try {
    fs.readSync(file, header);
  } finally {
    fs.closeSync(file);
  }
  if (header.readUInt32BE() !== 0x7f454c46 || header[4] !== MACHINE_64) return false;
  const [from, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)];
  const kinds = Array.from({ length: count }, (_, at) => from + at * size).filter((at) => at + 4 <= header.length);
  return kinds.every((at) => header.readUInt32LE(at) !== PT_INTERP);
}

function noTools(isThere: boolean): TareError {
  const why = isThere ? "this machine's busybox needs libraries" : "this machine has no busybox";
  return new TareError("E_NO_TOOLS", `looking for tools: ${why}`, {
    hint: "install the package busybox-static, or name an image with tools: `--image debian:bookworm-slim` (`tare base debian:bookworm-slim` assembles it)",
  });
}
