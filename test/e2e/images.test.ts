// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: images: ${reason}`);

const DOCKERFILE = `FROM busybox
LABEL team=vision
RUN mkdir -m 750 /data && echo text > /data/file && ln /data/file /data/hard && ln -s file /data/soft && chown 7:8 /data/file
CMD ["sh", "-c", "cd /data; stat -c '%n %a %u:%g %h' *; cat soft"]
`;

describe.skipIf(reason !== undefined)("images", () => {
  let world: ProgramWorld;
  let id = "";
  let said = "";
  beforeAll(() => {
    world = openProgramWorld("images");
    addBusyboxImage(world);
    id = world.ok("build", "-q", "-t", "app:1", world.files("context", { Dockerfile: DOCKERFILE }));
    said = world.ok("run", "--rm", "app:1");
  });
  afterAll(() => world.close());

  const at = (name: string): string => join(world.folder, name);
  const idOf = (name: string): string => world.ok("inspect", "--format", "{{.Id}}", name);

  it("are listed, filtered, formatted and described", () => {
    expect(world.ok("images")).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\n(.*\n)*app +1 +[0-9a-f]{12} /);
    expect(world.ok("images", "--filter", "label=team=vision", "--format", "{{.Repository}}:{{.Tag}}")).toBe("app:1");
    expect(world.ok("images", "-q", "--no-trunc", "app")).toBe(id);
    const [facts] = JSON.parse(world.ok("inspect", "app:1")) as Record<string, unknown>[];
    expect(facts).toMatchObject({ Id: id, RepoTags: ["app:1"], Os: "linux", Config: { Labels: { team: "vision" } } });
    const history = world.ok("history", "--format", "{{.CreatedBy}}", "--no-trunc", "app:1").split("\n");
    expect(history[0]).toMatch(/^CMD \["sh"/);
    expect(history.at(-1)).toMatch(/^ADD busybox.tar/);
    expect(said).toBe("file 644 7:8 2\nhard 644 7:8 2\nsoft 777 0:0 1\ntext");
  });

  it("have short, full and several names; the last one takes the image along", () => {
    world.ok("tag", "app:1", "registry.example:5000/team/app:2");
    world.ok("tag", id.slice(7, 19), "other");
    for (const name of [
      "docker.io/library/app:1",
      "registry.example:5000/team/app:2",
      "other:latest",
      id,
      id.slice(7, 15),
    ]) {
      expect(idOf(name)).toBe(id);
    }
    expect(world.tare(["rmi", id.slice(7)]).err).toMatch(/^error\[E_IMAGE_INUSE\]: .*\nhint: .*--force/m);
    expect(world.ok("rmi", "registry.example:5000/team/app:2", "other")).toBe(
      "Untagged: registry.example:5000/team/app:2\nUntagged: other:latest",
    );
    world.ok("build", "-q", "-t", "brief", "--label", "x=1", at("context"));
    expect(world.ok("rmi", "brief")).toMatch(/^Untagged: brief:latest\nDeleted: sha256:[0-9a-f]{64}/);
  });

  it("that a container is made of stay unless forced", () => {
    world.ok("create", "--name", "user", "app:1");
    expect(world.tare(["rmi", "app:1"]).err).toMatch(/E_IMAGE_INUSE.*`user`/);
    world.ok("rm", "user");
  });

  it.each([
    ["a docker archive", ["save", "app:1"], "manifest.json"],
    ["an OCI archive", ["save", "--format", "oci-archive", "app:1"], "index.json"],
  ])("go through %s unchanged, by file and by pipe, also compressed", (_name, words, member) => {
    const file = at(`${member}.tar`);
    world.ok(...words, "-o", file);
    const names = spawnSync("tar", ["-tf", file], { encoding: "utf8" }).stdout;
    expect(names.split("\n")).toContain(member);
    const bytes = fs.readFileSync(file);
    const zipped = spawnSync("gzip", ["-c", file], { maxBuffer: 1 << 28 }).stdout;
    for (const input of [undefined, bytes, zipped]) {
      const other = openProgramWorld("load");
      try {
        const loaded = other.tare(input === undefined ? ["load", "-i", file] : ["load"], input ? { input } : {});
        expect(loaded).toMatchObject({ code: 0, out: "Loaded image: app:1\n" });
        expect(other.ok("inspect", "--format", "{{.Id}}", "app:1")).toBe(id);
        expect(other.ok("run", "--rm", "app:1")).toBe(said);
        expect(other.ok("system", "fsck")).toBe("The store is sound.");
      } finally {
        other.close();
      }
    }
  });

  it("that are damaged on the way are refused and leave nothing", () => {
    world.ok("save", "-o", at("good.tar"), "app:1");
    const bytes = fs.readFileSync(at("good.tar"));
    const text = bytes.indexOf("text\n");
    bytes[text] = 0x54;
    const other = openProgramWorld("damaged");
    try {
      for (const input of [bytes, bytes.subarray(0, bytes.length >> 1)]) {
        const { code, out, err } = other.tare(["load"], { input });
        expect({ code, out }).toEqual({ code: 1, out: "" });
        expect(err).toMatch(/^error\[E_\w+\]: /m);
        expect(other.ok("images", "-aq")).toBe("");
        expect(fs.readdirSync(join(other.root, "v1/tmp"))).toEqual([]);
      }
    } finally {
      other.close();
    }
  });

  it("come from exported containers and from tar archives", () => {
    world.ok("run", "--name", "exported", "app:1", "sh", "-c", "echo new > /data/new");
    world.ok("export", "-o", at("files.tar"), "exported");
    world.ok("rm", "exported");
    const made = world.ok(
      "import",
      "-c",
      'CMD ["cat", "/data/new", "/data/soft"]',
      "-c",
      "ENV A=1",
      "-m",
      "from a tar",
      at("files.tar"),
      "flat:1",
    );
    expect(made).toMatch(/^sha256:/);
    expect(world.ok("run", "--rm", "flat:1")).toBe("new\ntext");
    expect(world.ok("run", "--rm", "flat:1", "stat", "-c", "%a %u:%g %h", "/data/hard")).toBe("644 7:8 2");
    expect(world.ok("inspect", "--format", "{{len .RootFS.Layers}} {{.Config.Env}}", "flat:1")).toMatch(
      /^1 \[.*A=1\]$/,
    );
    const piped = world.tare(["import", "-", "flat:2"], { input: fs.readFileSync(at("files.tar")) });
    expect(piped).toMatchObject({ code: 0, out: expect.stringMatching(/^sha256:/) });
  });

  it("are pruned: nameless ones, then all; what is used stays", () => {
    world.ok("build", "-q", "-t", "old", "--label", "n=1", at("context"));
    world.ok("build", "-q", "-t", "old", "--label", "n=2", at("context"));
    const nameless = world.ok("images", "-q", "--no-trunc", "--filter", "dangling=true");
    expect(world.ok("image", "prune", "-f")).toContain(`Deleted: ${nameless}`);
    world.ok("create", "--name", "keeps", "old");
    world.ok("image", "prune", "-af");
    expect(world.ok("images", "--format", "{{.Repository}}")).toBe("old");
    world.ok("rm", "keeps");
    expect(world.ok("system", "prune", "-af")).toMatch(/Total reclaimed space: [\d.]+MB$/);
    const rest = JSON.parse(world.ok("system", "df", "--json")) as { readonly size?: number }[];
    expect(
      rest.every(({ size }) => size === 0),
      JSON.stringify(rest),
    ).toBe(true);
    for (const folder of ["blobs/sha256", "layers", "l", "tmp", "containers"]) {
      expect(fs.readdirSync(join(world.root, "v1", folder)), folder).toEqual([]);
    }
  });
});
