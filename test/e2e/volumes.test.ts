// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { describeTree } from "../../src/volumes/fixture.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { eventually } from "../support/eventually.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import { addSeedImage } from "../support/seed-tree.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: volumes: ${reason}`);

/** What the program in the container prints: flags, script, expected. `{}` is the test's folder. */
const MOUNTS: Readonly<Record<string, readonly [flags: string, script: string, expected: string | RegExp]>> = {
  "-v of a new volume": ["-v new:/mnt", "touch /mnt/x && ls /mnt", "x"],
  "-v of a new volume, read-only": ["-v new2:/mnt:ro", "touch /mnt/x || echo refused", "refused"],
  "-v with nocopy": ["-v empty:/seed:nocopy", "ls /seed | wc -l", "0"],
  "-v with z": ["-v new3:/mnt:z", "touch /mnt/x && echo made", "made"],
  "volume-subpath of a folder": [
    "--mount type=volume,src=full,dst=/mnt,volume-subpath=folder/deep",
    "ls /mnt; touch /mnt/new && echo new",
    "file\nnew",
  ],
  "volume-subpath of a file": [
    "--mount type=volume,src=full,dst=/mnt/f,volume-subpath=folder/deep/file",
    "cat /mnt/f",
    "deep",
  ],
  "volume-subpath by a link inside": [
    "--mount type=volume,src=full,dst=/mnt,volume-subpath=link",
    "cat /mnt/file",
    "deep",
  ],
  "volume-label and volume-driver": [
    "--mount type=volume,src=labelled,dst=/mnt,volume-label=a=b,volume-driver=local",
    "echo ok",
    "ok",
  ],
  "volume-opt": [
    "--mount type=volume,src=mem,dst=/mnt,volume-opt=type=tmpfs,volume-opt=o=size=1m",
    "df -k /mnt | tail -1",
    /\b1024\b/,
  ],
  "an image": [
    "--mount type=image,src=busybox,dst=/mnt",
    "ls /mnt/bin/busybox; touch /mnt/x || echo refused",
    /busybox\nrefused$/,
  ],
  "image-subpath": ["--mount type=image,src=seed,dst=/mnt,image-subpath=seed/link", "cat /mnt/file", "deep"],
  "bind-propagation": ["--mount type=bind,src={}/bound,dst=/mnt,bind-propagation=rslave", "cat /mnt/file", "bound"],
  "bind-recursive=readonly": [
    "--mount type=bind,src={}/bound,dst=/mnt,readonly,bind-recursive=readonly,bind-propagation=rprivate",
    "touch /mnt/x || echo refused",
    "refused",
  ],
  consistency: ["--mount type=bind,src={}/bound,dst=/mnt,consistency=cached", "cat /mnt/file", "bound"],
  "--volume-driver local": ["--volume-driver local -v new4:/mnt", "echo ok", "ok"],
  "--volumes-from": [
    "--volumes-from holder",
    "ls -d /held; cat /held/folder/deep/file; touch /held/y && echo y",
    "/held\ndeep\ny",
  ],
  "--volumes-from, read-only": ["--volumes-from holder:ro", "touch /held/y || echo refused", "refused"],
  "--volumes-from under a flag": ["--volumes-from holder -v other:/held", "ls /held | wc -l", "0"],
};

const REFUSED: Readonly<Record<string, readonly [flags: string, code: string]>> = {
  "a subpath that a link leads out of": [
    "--mount type=volume,src=full,dst=/mnt,volume-subpath=link-out",
    "E_MOUNT_SOURCE",
  ],
  "a subpath with ..": ["--mount type=volume,src=full,dst=/mnt,volume-subpath=../..", "E_MOUNT_SOURCE"],
  "a subpath that is not there": ["--mount type=volume,src=full,dst=/mnt,volume-subpath=nothing", "E_MOUNT_SOURCE"],
  "a path that an image has not": ["--mount type=image,src=busybox,dst=/mnt,image-subpath=nothing", "E_MOUNT_SOURCE"],
  "another driver": ["--volume-driver rexray -v x:/mnt", "E_UNSUPPORTED"],
  "volumes of nobody": ["--volumes-from nobody", "E_CONTAINER_NOTFOUND"],
  nfs: [
    "--mount type=volume,src=nfs,dst=/mnt,volume-opt=type=nfs,volume-opt=device=:/x,volume-opt=o=addr=1",
    "E_UNSUPPORTED",
  ],
};

describe.skipIf(reason !== undefined)("volumes", () => {
  let world: ProgramWorld;
  let seed = "";
  const data = (name: string): string => join(world.root, "v1/volumes", name, "data");
  const names = (): string[] => world.ok("volume", "ls", "-q").split("\n").filter(Boolean);
  const run = (flags: string, script: string): Outcome => {
    const words = flags.replaceAll("{}", world.folder).split(" ").filter(Boolean);
    return world.tare(["run", "--rm", ...words, "seed", "sh", "-c", script]);
  };

  beforeAll(() => {
    world = openProgramWorld("volumes");
    addBusyboxImage(world);
    seed = addSeedImage(world);
    world.files("", { "bound/file": "bound\n" });
    world.ok("run", "-d", "--name", "holder", "-v", "full:/seed", "-v", "full:/held", "seed", "sleep", "1000");
  });
  afterEach(() => {
    const others = world.ok("ps", "-aq", "--filter", "label=test").split("\n").filter(Boolean);
    if (others.length > 0) world.ok("rm", "-f", ...others);
  });
  afterAll(() => world.close());

  it("the first use copies all that the image has", () => {
    const made = describeTree(data("full"));
    // `/held` was mounted at it too; nothing else was done in it.
    expect(made).toEqual(describeTree(seed));
  });

  it.each(Object.entries(MOUNTS))("%s", (_name, [flags, script, expected]) => {
    const { code, out, err } = run(flags, script);
    expect(code, err).toBe(0);
    if (typeof expected === "string") expect(out.trimEnd()).toBe(expected);
    else expect(out.trimEnd()).toMatch(expected);
  });

  it.each(Object.entries(REFUSED))("refuses %s", (_name, [flags, code]) => {
    const done = run(flags, "true");
    expect(done.err).toContain(`error[${code}]`);
    expect(done.code).toBe(125);
  });

  it("a part of a volume that is swapped for a link out of it between look and start is not mounted", async () => {
    world.ok("volume", "create", "swap");
    fs.mkdirSync(join(data("swap"), "part"));
    const swapping = world.tareAsync([
      ..."run --rm --label test -v swap:/mnt busybox sh -c".split(" "),
      "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); rmdir /mnt/part; ln -s /etc /mnt/part; rm /mnt/part; mkdir /mnt/part; done",
    ]);
    const flags = "--mount type=volume,src=swap,dst=/mnt,volume-subpath=part";
    for (let round = 0; round < 4; round += 1) expect(run(flags, "ls /mnt").out).not.toContain("passwd");
    await swapping;
  });

  it("are created, listed, filtered, inspected and removed in Docker's words", () => {
    expect(world.ok("volume", "create", "--label", "team=vision", "--label", "x", "words")).toBe("words");
    expect(world.ok("volume", "create", "words")).toBe("words");
    expect(world.ok("volume", "ls", "--filter", "label=team=vision")).toBe("DRIVER    VOLUME NAME\nlocal     words");
    expect(world.ok("volume", "ls", "-f", "name=wor", "--format", "{{.Name}} {{.Driver}} {{.Scope}} {{.Labels}}")).toBe(
      "words local local team=vision,x=",
    );
    const [document] = JSON.parse(world.ok("volume", "inspect", "words")) as [Record<string, unknown>];
    expect(Object.keys(document)).toEqual(["CreatedAt", "Driver", "Labels", "Mountpoint", "Name", "Options", "Scope"]);
    expect(document).toMatchObject({ Labels: { team: "vision", x: "" }, Mountpoint: data("words"), Options: {} });
    expect(world.ok("inspect", "--type", "volume", "-f", "{{.Name}}", "words")).toBe("words");
    expect(world.ok("inspect", "words", "-f", "{{.Driver}}")).toBe("local");
    expect(world.ok("volume", "ls", "-q", "--filter", "dangling=false")).toBe("full");
    expect(world.tare(["volume", "rm", "full"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("volume is in use by `holder`"),
    });
    expect(world.ok("volume", "rm", "words")).toBe("words");
    expect(world.tare(["volume", "inspect", "words"])).toMatchObject({ code: 1, out: "[]\n" });
    expect(world.tare(["volume", "rm", "words"]).code).toBe(1);
    expect(world.ok("volume", "rm", "-f", "words")).toBe("words");
    expect(world.tare(["__complete", "--", "volume", "rm", "fu"]).out).toContain("full");
  });

  it("that nobody named go with their container, unless another has them, and with a prune", () => {
    const before = names();
    world.ok("run", "--name", "one", "--label", "test", "-v", "/anon", "busybox", "touch", "/anon/kept");
    world.ok("run", "--name", "two", "--label", "test", "--volumes-from", "one", "busybox", "ls", "/anon/kept");
    const [anonymous = ""] = names().filter((name) => !before.includes(name));
    expect(world.ok("volume", "inspect", "-f", "{{json .Labels}}", anonymous)).toBe(
      '{"com.docker.volume.anonymous":""}',
    );
    world.ok("rm", "-v", "one");
    expect(names()).toContain(anonymous);
    world.ok("rm", "-v", "two");
    expect(names()).toEqual(before);
    world.ok("run", "--rm", "-v", "/anon", "busybox", "true");
    expect(names()).toEqual(before);
    world.ok("volume", "create");
    expect(world.tare(["volume", "prune"])).toMatchObject({ code: 1, err: expect.stringContaining("--force") });
    expect(world.ok("volume", "prune", "-f")).toMatch(/^Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: /);
    expect(names()).toEqual(before);
    expect(world.ok("volume", "prune", "-af", "--filter", "label=a=b")).toContain("labelled");
  });

  it("mounted images stay while a container has them", () => {
    world.ok("tag", "seed", "mounted");
    world.ok(
      "create",
      "--name",
      "has-image",
      "--label",
      "test",
      "--mount",
      "type=image,src=mounted,dst=/mnt",
      "busybox",
      "true",
    );
    world.ok("rmi", "mounted");
    expect(world.tare(["rmi", "seed"]).code).toBe(1);
    world.ok("image", "prune", "-af");
    expect(world.ok("start", "-a", "has-image")).toBe("");
  });

  describe("copies", () => {
    const backup = (name: string): string => join(world.folder, `${name}.backup`);

    it("are the same through pipes, with what changed since, and with the writers standing still", async () => {
      world.ok(
        "run",
        "-d",
        "--name",
        "writer",
        "--label",
        "test",
        "-v",
        "full:/w",
        "busybox",
        "sh",
        "-c",
        "while :; do echo x >> /w/log; sleep 0.1; done",
      );
      await eventually(() => fs.existsSync(join(data("full"), "log"))).toBe(true);
      const warned = world.tare(["volume", "backup", "-o", backup("first"), "full"]);
      expect(warned.err).toContain("`writer`");
      world.ok("volume", "backup", "--pause", "--since", backup("first"), "-o", backup("second"), "full");
      expect(world.ok("ps", "--filter", "name=writer", "--format", "{{.Status}}")).toMatch(/^Up [^(]*$/);
      world.ok("kill", "writer");
      world.ok("volume", "backup", "--since", backup("second"), "-o", backup("third"), "full");
      expect(world.ok("volume", "backup", "--verify", backup("third"))).toContain("going on from");
      world.ok("volume", "restore", "again", ...["first", "second", "third"].map(backup));
      world.ok("volume", "clone", "full", "clone");
      const bytes = fs.readFileSync(backup("first"));
      expect(world.tare(["volume", "restore", "alone"], { input: bytes }).code).toBe(0);
      for (const name of ["again", "clone"]) expect(describeTree(data(name))).toEqual(describeTree(data("full")));
      expect(world.tare(["volume", "restore", "again"], { input: bytes }).err).toContain("E_VOLUME_EXISTS");
      for (const words of [
        ["restore", "none", backup("none")],
        ["backup", "--verify", backup("none")],
      ]) {
        expect(world.tare(["volume", ...words]).err).toContain("error[E_IO]: reading");
      }
      expect(world.tare(["volume", "restore", "-f", "again"], { input: bytes.subarray(0, -400) }).err).toContain(
        "E_VOLUME_BACKUP",
      );
      expect(describeTree(data("again"))).toEqual(describeTree(data("full")));
      expect(world.tare(["volume", "restore", "-f", "full"], { input: bytes }).err).toContain("in use by holder");
      world.ok("volume", "rm", "again", "clone", "alone");
    });

    it("that a kill ends let the containers go on, and leave nothing", async () => {
      fs.writeFileSync(join(data("full"), "large"), Buffer.alloc(64 << 20, 1));
      const child = world.start(["volume", "backup", "--pause", "-o", backup("killed"), "--compress", "gzip", "full"]);
      const isPaused = (): boolean => world.ok("ps", "--format", "{{.Status}}").includes("Paused");
      for (let tries = 0; tries < 100 && !isPaused(); tries += 1) await sleep(20);
      expect(isPaused()).toBe(true);
      child.kill("SIGKILL");
      await new Promise((done) => child.once("exit", done));
      world.ok("exec", "holder", "true");
      expect(isPaused()).toBe(false);
      expect(fs.readdirSync(join(world.root, "v1/volumes/.work"))).toEqual([]);
      fs.rmSync(join(data("full"), "large"));
    });

    const noRegistry = whyNoRegistry();
    if (noRegistry !== undefined) console.log(`skipped: volumes at registries: ${noRegistry}`);
    it.skipIf(noRegistry !== undefined)("come back from a registry, which gets what changed and no more", async () => {
      const registry = await startRegistry(join(world.folder, "registry"));
      try {
        const at = (tag: string): string => `${registry.host}/team/full:${tag}`;
        const random = Buffer.from(Array.from({ length: 5 << 20 }, (_, index) => (index * 7919) >> 5));
        for (const name of ["a", "b", "c"]) fs.writeFileSync(join(data("full"), name), random);
        fs.writeFileSync(join(data("full"), "large"), Buffer.alloc(40 << 20, 5));
        const push = (tag: string): { readonly digest: string; readonly sent: number; readonly chunks: number } =>
          JSON.parse(world.ok("volume", "push", "--json", "--progress", "quiet", "full", at(tag)));
        const first = push("1");
        expect(push("1")).toMatchObject({ digest: first.digest, sent: 0, chunks: first.chunks });
        fs.appendFileSync(join(data("full"), "large"), "more");
        const second = push("2");
        expect(second.chunks - second.sent).toBeGreaterThanOrEqual(3);
        world.ok("volume", "pull", "--progress", "quiet", at("2"), "pulled");
        expect(describeTree(data("pulled"))).toEqual(describeTree(data("full")));
        world.ok("tag", "busybox", at("image"));
        world.ok("push", "-q", at("image"));
        expect(world.tare(["volume", "pull", at("image"), "x"]).err).toContain("E_MANIFEST");
        expect(names()).not.toContain("x");
      } finally {
        await registry.stop();
      }
    });
  });
});
