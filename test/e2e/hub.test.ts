// SPDX-License-Identifier: Apache-2.0
/* Commands against Docker Hub, which is in this process: search, questions about manifests, pulls by way of a mirror. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import { Maker, putImage } from "../support/copied-image.ts";
import type { MadeImage } from "../support/copied-image.ts";
import { startHub } from "../support/fake-hub.ts";
import type { FakeHub } from "../support/fake-hub.ts";
import { openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

let world: ProgramWorld;
let hub: FakeHub;
let image: MadeImage;
let mirror: FakeRegistry;

beforeAll(async () => {
  world = openProgramWorld("hub");
  hub = await startHub(world.folder);
  image = await putImage(hub.registry, "team/app");
  mirror = await FakeRegistry.open();
  hub.results = [
    result("small", 3, false),
    result("python", 9000, true),
    result("team/python", 40, false, "line\nbreak \u001b[2J and much more text than fits into a column"),
  ];
  fs.mkdirSync(join(world.folder, "home"));
});
afterAll(async () => {
  await hub.close();
  await mirror.close();
  world.close();
});

function result(name: string, stars: number, isOfficial: boolean, description = "short"): object {
  return { name, description, star_count: stars, is_official: isOfficial, is_automated: false };
}

function tare(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return world.tareAsync(args, { env: { ...hub.env, HOME: join(world.folder, "home"), ...env } });
}

describe("search", () => {
  it("prints Docker's table, most stars first", async () => {
    const { code, out, err } = await tare(["search", "python"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n").map((line) => line.trimEnd())).toEqual([
      "NAME          DESCRIPTION                                        STARS     OFFICIAL",
      "python        short                                              9000      [OK]",
      "team/python   line break \\x1b[2J and much more text than fits…   40",
      "small         short                                              3",
      "",
    ]);
    expect(hub.asked.at(-1)).toEqual({ url: "index.docker.io/v1/search?q=python&n=25", authorization: undefined });
  });

  it.each([
    [
      ["--filter", "stars=40"],
      ["python", "team/python"],
    ],
    [
      ["--filter", "is-official=false"],
      ["team/python", "small"],
    ],
    [["-f", "is-official=true", "-f", "stars=10000"], []],
    [["--limit", "1"], ["small"]],
  ])("%j", async (args, names) => {
    const { out } = await tare(["search", ...args, "--format", "{{.Name}}", "docker.io/library/python"]);
    expect(out.split("\n").filter(Boolean)).toEqual(names);
    expect(hub.asked.at(-1)?.url).toContain("q=python&");
  });

  it("gives everything as JSON", async () => {
    const { out } = await tare(["search", "--json", "python"]);
    const [first] = JSON.parse(out) as object[];
    expect(first).toEqual({ name: "python", description: "short", stars: 9000, isOfficial: true, isAutomated: false });
  });

  it.each([
    [["quay.io/app"], "E_UNSUPPORTED", "only Docker Hub has a search"],
    [["--filter", "size=3", "x"], "E_FILTER", "is no filter"],
    [["--filter", "stars=many", "x"], "E_FILTER", "no whole number"],
    [["--limit", "0", "x"], "E_USAGE", "outside the range"],
    [["--limit", "ten", "x"], "E_USAGE", "outside the range"],
    [[""], "E_USAGE", "the term is empty"],
  ])("refuses %j", async (args, code, words) => {
    const { code: exit, err } = await tare(["search", ...args]);
    expect(exit).not.toBe(0);
    expect(err).toContain(`error[${code}]`);
    expect(err).toContain(words);
  });

  it("tells that the Hub can't be reached, or must not be asked", async () => {
    const gone = await tare(["search", "x"], { HTTPS_PROXY: "http://127.0.0.1:1" });
    expect(gone.err).toMatch(/E_REGISTRY.*searching Docker Hub/);
    const offline = await tare(["search", "x"], { TARE_OFFLINE: "1" });
    expect(offline.err).toContain("TARE_OFFLINE is set");
  });
});

describe("manifest inspect", () => {
  it("prints an index, and its parts with -v", async () => {
    const plain = await tare(["manifest", "inspect", "team/app:1"]);
    const { manifests } = JSON.parse(plain.out) as { manifests: { digest: string }[] };
    expect(manifests.map(({ digest }) => digest)).toEqual([
      image.amd64.digest,
      image.arm64.digest,
      image.attestation.digest,
    ]);
    expect(plain.out.startsWith('{\n   "schemaVersion": 2')).toBe(true);
    const { out } = await tare(["manifest", "inspect", "-v", "team/app:1"]);
    const parts = JSON.parse(out) as { Ref: string; Descriptor: { platform: object }; Raw: string }[];
    expect(parts[1]).toMatchObject({
      Ref: `team/app:1@${image.arm64.digest}`,
      Descriptor: { ...image.arm64, platform: { os: "linux", architecture: "arm64" } },
      OCIManifest: { schemaVersion: 2 },
    });
    const raw = await tare(["manifest", "inspect", "--raw", `team/app@${image.arm64.digest}`]);
    expect(Buffer.from(parts[1]?.Raw ?? "", "base64").toString()).toBe(raw.out);
  });

  it("prints a manifest with the platform of its config", async () => {
    const { out } = await tare(["manifest", "inspect", "--verbose", `team/app@${image.amd64.digest}`]);
    const found = JSON.parse(out) as object;
    expect(found).toMatchObject({
      Ref: `team/app@${image.amd64.digest}`,
      Descriptor: { ...image.amd64, platform: { architecture: "amd64", os: "linux" } },
    });
  });

  it.each([
    ["a manifest of schema 1", { schemaVersion: 1, name: "x", fsLayers: [] }, "schema 1 manifests are not supported"],
    ["what is neither", { schemaVersion: 2 }, "reading manifest"],
  ])("refuses %s", async (_, document, words) => {
    const mediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    new Maker(hub.registry, "team/old").document({ mediaType, ...document }, "1");
    const { code, err } = await tare(["manifest", "inspect", "team/old:1"]);
    expect(code).toBe(1);
    expect(err).toContain("error[E_MANIFEST]");
    expect(err).toContain(words);
  });

  it("tells what is not there", async () => {
    const { err } = await tare(["manifest", "inspect", "team/app:none"]);
    expect(err).toContain("error[E_REGISTRY_NOTFOUND]");
  });
});

describe("a mirror of the Hub", () => {
  it("is named in registries.conf; why it is not used is told, and the Hub is asked", async () => {
    const conf = join(world.folder, "registries.conf");
    fs.writeFileSync(
      conf,
      `[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${mirror.host}/hub"\n`,
    );
    const env = { CONTAINERS_REGISTRIES_CONF: conf };
    const first = await tare(["pull", "team/app:1"], env);
    expect(first.err).toContain("1 warning found");
    expect(first.err).toContain(`mirror \`${mirror.host}\` is not asked for \`docker.io/team/app\` any more`);
    expect(first.out).toContain(image.index.digest);
    expect(mirror.log()).toEqual(["HEAD /v2/hub/team/app/manifests/1"]);
    await putImage(mirror, "hub/team/app");
    hub.asked.splice(0);
    const second = await tare(["copy", "-a", "team/app:1", `oci:${join(world.folder, "layout")}:1`], env);
    expect(second.code).toBe(0);
    expect(hub.asked).toEqual([]);
  });

  it("does not hide that a registry is blocked", async () => {
    const conf = join(world.folder, "blocked.conf");
    fs.writeFileSync(conf, '[[registry]]\nprefix = "docker.io/team"\nblocked = true\n');
    for (const args of [
      ["pull", "team/app:1"],
      ["run", "team/other"],
      ["manifest", "inspect", "team/app:1"],
    ]) {
      const { err } = await tare(args, { CONTAINERS_REGISTRIES_CONF: conf });
      expect(err).toContain("error[E_REGISTRY_CONFIG]");
      expect(err).toContain("`docker.io/team` is blocked");
    }
  });
});
