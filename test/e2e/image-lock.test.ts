// SPDX-License-Identifier: Apache-2.0
/* tare.lock between two machines and a registry whose tag moves. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const reason = (process.getuid?.() === 0 ? undefined : "needs root") ?? whyNoBusybox() ?? whyNoRegistry();
if (reason !== undefined) console.log(`skipped: tare.lock: ${reason}`);

describe.skipIf(reason !== undefined)("tare.lock", () => {
  let maker: ProgramWorld;
  let other: ProgramWorld;
  let registry: RegistryPeer;
  let base = "";
  let project = "";

  beforeAll(async () => {
    maker = openProgramWorld("pins");
    other = openProgramWorld("pins-other");
    addBusyboxImage(maker);
    registry = await startRegistry(join(maker.folder, "registry"));
    base = `${registry.host}/team/base:1`;
    publish("one");
    project = maker.files("project", {
      Dockerfile: `FROM ${base} AS a\nFROM busybox\nCOPY --from=a /version /version\nCOPY --from=${base} /version /again\n`,
    });
  });
  afterAll(async () => {
    await registry.stop();
    for (const world of [maker, other]) world.close();
  });

  /** The base's tag moves to an image with this content. */
  function publish(version: string): void {
    const context = maker.files(`base-${version}`, { Dockerfile: "FROM busybox\nCOPY version /\n", version });
    maker.ok("build", "--progress", "quiet", "-t", base, context);
    maker.ok("push", "--progress", "quiet", base);
    maker.ok("rmi", "-f", base);
  }
  const build = (world: ProgramWorld, ...flags: readonly string[]): Outcome =>
    world.tare(["build", "--progress", "plain", "-t", "app", ...flags, project]);
  const version = (world: ProgramWorld): string => world.ok("run", "--rm", "app", "cat", "/version", "/again");
  const lock = (): string => fs.readFileSync(join(project, "tare.lock"), "utf8");

  it("pins what was used, under full names", () => {
    expect(build(maker, "--locked").err).toMatch(/error\[E_IMAGE_LOCK\]: building with --locked: `.*` is not pinned/);
    expect(fs.existsSync(join(project, "tare.lock"))).toBe(false);
    expect(build(maker, "--lock").code).toBe(0);
    expect(lock()).toMatch(
      /^# Written by `tare build --lock`.*\nversion = 1\n\n\[\[image\]\]\nname = "127\.0\.0\.1:\d+\/team\/base:1"\ndigest = "sha256:[0-9a-f]{64}"\n\n\[\[image\]\]\nname = "docker\.io\/library\/busybox:latest"\n/,
    );
    expect(version(maker)).toBe("oneone");
  });

  it("gives another machine the same images after the tag has moved", () => {
    const before = lock();
    publish("two");
    other.ok("load", "-q", "-i", archive());
    expect(build(other, "--locked").code).toBe(0);
    expect(version(other)).toBe("oneone");
    expect(build(other, "--locked").code).toBe(0);
    expect(lock()).toBe(before);
  });

  /** busybox for the other machine: it is at no registry. */
  function archive(): string {
    const path = join(maker.folder, "busybox.tar");
    maker.ok("save", "-o", path, "busybox");
    return path;
  }

  it("says in one line that a tag moved, and --locked refuses", () => {
    const moved = build(other, "--pull");
    // busybox is at no registry, so --pull fails for it.
    expect(moved.code).toBe(1);
    other.ok("pull", "--progress", "quiet", base);
    const warned = build(other);
    expect(warned.code).toBe(0);
    expect(warned.err).toMatch(
      /`.*base:1` is `sha256:[0-9a-f]+` here, pinned in .*tare\.lock is `sha256:[0-9a-f]+`, and used/,
    );
    expect(version(other)).toBe("oneone");
    expect(build(other, "--locked").err).toMatch(/error\[E_IMAGE_LOCK\].* here, pinned in/);
  });

  it("moves along with --lock --pull", () => {
    fs.writeFileSync(join(project, "Dockerfile"), `FROM ${base}\n`);
    expect(build(other, "--lock").code).toBe(0);
    expect(other.ok("run", "--rm", "app", "cat", "/version")).toBe("one");
    expect(build(other, "--lock", "--pull").code).toBe(0);
    expect(other.ok("run", "--rm", "app", "cat", "/version")).toBe("two");
    expect(build(other, "--locked", "--pull").code).toBe(0);
  });

  it("must be well-formed", () => {
    fs.writeFileSync(join(project, "tare.lock"), "version = 9\n");
    expect(build(other).err).toMatch(/error\[E_IMAGE_LOCK\]: reading `.*tare\.lock`: its version is `9`/);
    expect(build(other, "--lock", "--locked").err).toMatch(/error\[E_USAGE\]/);
  });
});
