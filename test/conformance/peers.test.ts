// SPDX-License-Identifier: Apache-2.0
/*
 * Every Dockerfile of `dockerfiles/` built by Tare and by a real Docker Engine (BuildKit as Debian has it) from the
 * same bases and context: root file systems (paths, types, modes, owners, bytes, link targets, attributes) and configs
 * must be the same, but for the differences named here. `# options:`, `# fails` at the top of a file say how it is built.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linux } from "../../src/base/index.ts";
import { imageDetails, loadImages, saveImagesToFile } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import { TreeView } from "../../src/store/index.ts";
import type { ImageRecord } from "../../src/store/index.ts";
import { fillBusybox, whyNoBusybox } from "../support/bases.ts";
import { addImage, attempt, buildRequest, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { compareConfigs } from "../support/config.ts";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { makePeerContext } from "../support/peer-context.ts";
import { compareFacts, readTree } from "../support/tree.ts";
import type { TreeFacts } from "../support/tree.ts";

const files = join(import.meta.dirname, "dockerfiles");
const reason = whyNoBusybox() ?? whyNoDocker();
if (reason !== undefined) console.log(`skipped: builds by a live peer: ${reason}`);

interface Case {
  readonly name: string;
  readonly file: string;
  readonly options: readonly string[];
  readonly fails: boolean;
}

function readCase(name: string): Case {
  const file = join(files, name);
  const text = fs.readFileSync(file, "utf8");
  const options = /^# options: (.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
  return { name: basename(name, ".Dockerfile"), file, options, fails: /^# fails$/m.test(text) };
}

const MOUNT_POINTS = "newer BuildKit and Tare take mount points out again";

const cases = fs
  .readdirSync(files)
  .filter((name) => name.endsWith(".Dockerfile"))
  .map(readCase);

/** Differences that are meant, by case; `docs/differences.md` tells why. Debian's engine has BuildKit of 2020. */
const ALLOWED: Readonly<Record<string, { readonly lines: RegExp; readonly why: string }>> = {
  "add-archive-owner": {
    lines: /^~owned\/.*: [ug]id: /,
    why: "newer BuildKit gives an archive's files the owner of --chown",
  },
  "copy-devices": { lines: /^[~+]d\/(block|char|fifo)/, why: "the engine copies devices as empty files" },
  "mount-bind-context": { lines: /^-(d|src)$/, why: MOUNT_POINTS },
  "mount-bind-from": { lines: /^-mnt\/(in|file)$/, why: MOUNT_POINTS },
  "mount-bind-rw": { lines: /^-src$/, why: MOUNT_POINTS },
  "mount-cache": { lines: /^-(cache|elsewhere)$/, why: MOUNT_POINTS },
  "mount-cache-owner": { lines: /^-cache$/, why: MOUNT_POINTS },
  "mount-many": { lines: /^-(fast|work\/cache|s|t)$/, why: MOUNT_POINTS },
  "mount-secret-file": { lines: /^-run(\/secrets)?$/, why: MOUNT_POINTS },
  "mount-ssh": { lines: /^-run(\/buildkit)?$/, why: MOUNT_POINTS },
  "mount-tmpfs": { lines: /^-scratch$/, why: MOUNT_POINTS },
  "run-limits": { lines: /^~(hard|soft): /, why: "the engine's BuildKit does not know --ulimit" },
  "run-stubs-absent": { lines: /^-(dev|etc|proc|sys)$/, why: MOUNT_POINTS },
};

const BASE_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

let world: BuildWorld;
let folder = "";
let context = "";
let peer: DockerPeer;

function fillCapable(tree: string): void {
  fillBusybox(tree);
  fs.writeFileSync(join(tree, "bin/capable"), "#!/bin/sh\n", { mode: 0o755 });
  // VFS_CAP_REVISION_2, effective, CAP_NET_BIND_SERVICE permitted (capability.h).
  const value = Buffer.from("0100000200040000000000000000000000000000", "hex");
  linux.lsetxattr(join(tree, "bin/capable"), "security.capability", value);
}

async function prepare(): Promise<void> {
  world = openBuildWorld("peers");
  folder = fs.mkdtempSync(join(tmpdir(), "peers-"));
  context = join(folder, "context");
  fs.mkdirSync(context);
  makePeerContext(context);
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "id_key")]);
  const config = { Cmd: ["sh"], Env: [BASE_PATH] };
  await addImage(world.store, ["docker.io/library/busybox:latest"], fillBusybox, config);
  await addImage(world.store, ["docker.io/library/capable:latest"], fillCapable, config);
  peer = await startDocker(join(folder, "docker"));
  const items = world.store.images.list().map((record) => ({ record, names: record.names }));
  await saveImagesToFile(world.store, items, join(folder, "bases.tar"), { format: "docker" });
  peer.docker(["load", "-i", join(folder, "bases.tar")]);
}

interface Built {
  readonly facts: TreeFacts;
  readonly config: unknown;
}

function read(record: ImageRecord | undefined): Built {
  if (!record) throw new Error("no image was built");
  const { layers, config } = imageDetails(world.store, record);
  return { facts: readTree(new TreeView(layers)), config: config.config };
}

function optionsOf(item: Case): readonly string[] {
  return item.options.map((word) => word.replace("id_key", join(folder, "id_key")));
}

async function buildHere(item: Case): Promise<Built | string> {
  const request = buildRequest([...optionsOf(item), "-f", item.file, "."], { cwd: context });
  const done = await attempt(world, request, { HOME: "/root" });
  if (!done.ok) return done.error;
  return read(done.result.target && world.store.images.find(done.result.target));
}

async function buildThere(item: Case): Promise<Built | string> {
  const name = `peer-${item.name}`;
  const words = ["build", "-q", "--network", "none", ...optionsOf(item), "-f", item.file, "-t", name, "."];
  const { ok, output } = peer.attempt(words, context);
  if (!ok) return output;
  const archive = join(folder, "result.tar");
  peer.docker(["save", "-o", archive, name]);
  const [record] = await loadImages(world.store, archive, { host: hostPlatform(process.arch) });
  return read(record);
}

/** Cases that Debian's engine is too old to judge. buildah leaves its own mount points in /etc and /run. */
const FOR_BUILDAH = ["run-limits", "mount-bind-from", "mount-cache", "mount-cache-owner", "mount-tmpfs"];
const BUILDAH_LEFTOVERS = /^(etc|etc\/(hostname|hosts|resolv\.conf)|run|dev|proc|sys)$/;
const hasBuildah = spawnSync("buildah", ["--version"]).status === 0;
if (!hasBuildah) console.log("skipped: builds by buildah: not installed");

function buildah(...words: readonly string[]): string {
  const storage = ["--root", join(folder, "buildah"), "--runroot", join(folder, "buildah-run")];
  const done = spawnSync("buildah", [...storage, "--storage-driver", "vfs", ...words], {
    encoding: "utf8",
    cwd: context,
  });
  if (done.status === 0) return done.stdout.trim();
  throw new Error(`buildah ${words.join(" ")}: ${done.stderr}`);
}

async function buildByBuildah(item: Case): Promise<Built> {
  if (!fs.existsSync(join(folder, "buildah"))) {
    const id = buildah("pull", "-q", `docker-archive:${join(folder, "bases.tar")}:busybox:latest`);
    buildah("tag", id, "docker.io/library/busybox:latest");
  }
  const how = ["--isolation", "chroot", "--pull-never", "--format", "docker", ...optionsOf(item)];
  buildah("bud", "-q", ...how, "-f", item.file, "-t", item.name, ".");
  const archive = join(folder, `buildah-${item.name}.tar`);
  buildah("push", "-q", item.name, `docker-archive:${archive}:${item.name}:1`);
  const [record] = await loadImages(world.store, archive, { host: hostPlatform(process.arch) });
  return read(record);
}

/** How our result differs from the peer's; empty when it does not. */
function differences(item: Case, ours: Built | string, theirs: Built | string): readonly string[] {
  const ends = [ours, theirs].map((end) => (typeof end === "string" ? "failed" : "built"));
  if (item.fails || typeof ours === "string" || typeof theirs === "string") {
    const wanted = item.fails ? "failed" : "built";
    const texts = [ours, theirs].filter((end) => typeof end === "string");
    return ends.every((end) => end === wanted) ? [] : [`ends: ${ends.join(" != ")}: ${texts.join(" | ")}`];
  }
  const lines = [...compareFacts(theirs.facts, ours.facts), ...compareConfigs(theirs.config, ours.config)];
  const allowed = ALLOWED[item.name];
  return allowed ? lines.filter((line) => !allowed.lines.test(line)) : lines;
}

describe.skipIf(reason !== undefined)("builds by Tare and by a Docker Engine", () => {
  beforeAll(prepare, 120_000);
  afterAll(async () => {
    await peer.stop();
    world.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("has at least 60 Dockerfiles", () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
  });

  it.each(cases)("gives the same for $name", async (item) => {
    expect(differences(item, await buildHere(item), await buildThere(item))).toEqual([]);
  });

  it.skipIf(!hasBuildah).each(cases.filter(({ name }) => FOR_BUILDAH.includes(name)))(
    "is confirmed by buildah for $name",
    async (item) => {
      const [ours, theirs] = [await buildHere(item), await buildByBuildah(item)];
      if (typeof ours === "string") throw new Error(ours);
      const lines = compareFacts(theirs.facts, ours.facts, (path) => BUILDAH_LEFTOVERS.test(path));
      expect([...lines, ...compareConfigs(theirs.config, ours.config)]).toEqual([]);
    },
  );
});
