// SPDX-License-Identifier: Apache-2.0
/* A folder with a file of every kind, in an image: what the first use of a volume has to copy. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { linux } from "../../src/base/index.ts";
import type { ProgramWorld } from "./program.ts";

/** cap_net_bind_service=ep, as the kernel keeps it. */
const CAPABILITY = Buffer.from("0100000200040000000000000000000000000000", "hex");

/** Fills a folder. Needs root. */
function fillSeed(root: string): void {
  const at = (name: string): string => join(root, name);
  fs.mkdirSync(at("folder/deep"), { recursive: true });
  fs.writeFileSync(at("folder/deep/file"), "deep\n");
  fs.writeFileSync(at("setuid"), "#!/bin/sh\n");
  fs.chownSync(at("setuid"), 33, 1000);
  fs.chmodSync(at("setuid"), 0o4755);
  fs.linkSync(at("setuid"), at("same-file"));
  fs.symlinkSync("folder/deep", at("link"));
  fs.symlinkSync("/etc/passwd", at("link-out"));
  linux.mknod(at("pipe"), linux.S_IFIFO | 0o620);
  linux.mknod(at("null"), linux.S_IFCHR | 0o666, linux.makeDevice(1, 3));
  fs.writeFileSync(at("capable"), "x");
  linux.lsetxattr(at("capable"), "security.capability", CAPABILITY);
  fs.chownSync(at("folder"), 12, 34);
  fs.chmodSync(at("folder"), 0o1770);
  fs.chmodSync(root, 0o750);
  fs.chownSync(root, 7, 8);
  // Layers have whole seconds.
  for (const name of fs.readdirSync(root, { recursive: true, encoding: "utf8" })) fs.lutimesSync(at(name), 1e9, 1e9);
  fs.utimesSync(root, 1e9, 1e9);
}

/** Builds the image `seed`: busybox with the tree at `/seed`. Returns the tree. */
export function addSeedImage(world: ProgramWorld): string {
  const context = join(world.folder, "seed");
  const tree = join(world.folder, "seed-tree", "seed");
  fs.mkdirSync(context);
  fs.mkdirSync(tree, { recursive: true });
  fillSeed(tree);
  const words = ["--xattrs", "--xattrs-include=*", "-C", join(world.folder, "seed-tree"), "-cf"];
  const packed = spawnSync("tar", [...words, join(context, "seed.tar"), "seed"], { encoding: "utf8" });
  if (packed.status !== 0) throw new Error(`packing the tree: ${packed.stderr}`);
  fs.writeFileSync(join(context, "Dockerfile"), "FROM busybox\nADD seed.tar /\n");
  world.ok("build", "-q", "-t", "seed", context);
  return tree;
}
