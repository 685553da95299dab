// SPDX-License-Identifier: Apache-2.0
/** The engines that are compared, each with a store of its own below the benchmark's folder. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Daemon } from "./daemon.ts";
import { DOCKER, startDaemon } from "./daemon.ts";
import { firstLine, has } from "./host.ts";
import type { Command } from "./measure.ts";
import { timed } from "./measure.ts";

/** How a build differs from the usual one. */
export interface BuildOptions {
  readonly noCache?: boolean;
}

/** An engine with the commands that a user would type. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  build(folder: string, tag: string, options?: BuildOptions): Command;
  /** Absent for engines that only build. */
  run?(image: string, words: readonly string[]): Command;
  /** Brings the base image in. */
  load(archive: string, name: string): Command;
  /** Removes an image and the build cache, so that the next build of the same kind is cold. */
  forget(tag: string): readonly Command[];
}

/** The peers of a run; `close` stops the daemon. */
export interface Peers {
  readonly all: readonly Peer[];
  readonly tare: Peer;
  /** Reasons for those that are left out. */
  readonly absent: readonly string[];
  close(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, "..");

/** Starts what has to be started. Names: `tare`, `classic`, `buildkit`, `buildah`; tare always takes part. */
export async function openPeers(folder: string, names: readonly string[]): Promise<Peers> {
  mkdirSync(folder, { recursive: true });
  const tare = tarePeer(join(folder, "tare"));
  const all: Peer[] = [tare];
  const absent: string[] = [];
  let daemon: Daemon | undefined;
  if (names.includes("classic") || names.includes("buildkit")) {
    if (has("dockerd") && has("docker")) {
      daemon = await startDaemon(join(folder, "docker"));
      if (names.includes("classic")) all.push(dockerPeer("docker, classic", daemon, "0"));
      if (names.includes("buildkit")) all.push(dockerPeer("docker, BuildKit", daemon, "1"));
    } else absent.push("docker: not installed");
  }
  if (names.includes("buildah")) {
    if (has("buildah")) all.push(buildahPeer(join(folder, "buildah")));
    else absent.push("buildah: not installed");
  }
  return { all, tare, absent, close: async () => daemon?.stop() };
}

/** Tare as it is in this checkout, with its store in `root`. */
export function tarePeer(root: string): Peer {
  const program = join(ROOT, "bin/tare");
  const command = (...words: string[]): Command => ({ program, words, env: { TARE_ROOT: root } });
  return {
    name: "tare",
    version: firstLine(program, "--version"),
    build: (folder, tag, { noCache = false } = {}) =>
      command("build", "-q", ...(noCache ? ["--no-cache"] : []), "-t", tag, folder),
    run: (image, words) => command("run", "--rm", "--network", "none", image, ...words),
    load: (archive) => command("load", "-q", "-i", archive),
    forget: (tag) => [command("rmi", "-f", tag), command("system", "prune", "-f", "--filter", "until=0s")],
  };
}

function dockerPeer(name: string, daemon: Daemon, buildKit: string): Peer {
  const env = { DOCKER_HOST: daemon.socket, DOCKER_BUILDKIT: buildKit };
  const command = (...words: string[]): Command => ({ program: DOCKER, words, env });
  return {
    name,
    version: firstLine("dockerd", "--version"),
    build: (folder, tag, { noCache = false } = {}) =>
      command("build", "-q", "--network", "host", ...(noCache ? ["--no-cache"] : []), "-t", tag, folder),
    run: (image, words) => command("run", "--rm", "--network", "none", image, ...words),
    load: (archive) => command("load", "-q", "-i", archive),
    forget: (tag) => [command("rmi", "-f", tag), command("image", "prune", "-f"), command("builder", "prune", "-af")],
  };
}

function buildahPeer(root: string): Peer {
  const store = ["--root", root, "--runroot", `${root}-run`, "--storage-driver", "overlay"];
  const command = (...words: string[]): Command => ({ program: "buildah", words: [...store, ...words] });
  const build = ["bud", "-q", "--layers", "--network", "host", "--runtime", "runc"];
  return {
    name: "buildah",
    version: firstLine("buildah", "--version"),
    build: (folder, tag, { noCache = false } = {}) =>
      command(...build, ...(noCache ? ["--no-cache"] : []), "-t", tag, folder),
    load: (archive, name) => command("pull", "-q", `docker-archive:${archive}:${name}`),
    forget: (tag) => [command("rmi", "-f", tag), command("rmi", "--prune", "-f")],
  };
}

/** Assembles the base once, and gives it to all. */
export function provideBase(peers: Peers, folder: string, base: string): void {
  const { env = {}, program } = peers.tare.run?.(base, []) ?? { program: "" };
  timed({ program, env, words: ["base", base] });
  const archive = join(folder, "base.tar");
  timed({ program, env, words: ["save", "-o", archive, base] });
  for (const peer of peers.all) if (peer !== peers.tare) timed(peer.load(archive, base));
}
