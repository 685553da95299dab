// SPDX-License-Identifier: Apache-2.0
/*
 * `tare copy` from every kind of place to every other, with an image for several platforms and what refers to it; what
 * arrives is read by skopeo, and what skopeo writes is copied on. Also what Docker's `manifest inspect` prints.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/base/index.ts";
import { hasPrograms, runProgram } from "../support/peer-program.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const missing = process.getuid?.() === 0 ? whyNoRegistry() : "needs root";
if (missing) console.log(`skipped: registry: ${missing}`);

function has(...programs: readonly string[]): boolean {
  return hasPrograms(missing, ...programs);
}

let world: ProgramWorld;
let registry: RegistryPeer;

beforeAll(async () => {
  if (missing) return;
  world = openProgramWorld("pairs");
  registry = await startRegistry(join(world.folder, "registry"));
  addBusyboxImage(world, 'ENTRYPOINT ["/bin/busybox", "echo", "hello"]');
  world.ok("tag", "busybox", `${registry.host}/first:1`);
  world.ok("push", "-q", `${registry.host}/first:1`);
});
afterAll(async () => {
  if (missing) return;
  await registry.stop();
  world.close();
});

function copy(...args: readonly string[]): string {
  const { code, out, err } = world.tare(["copy", "--json", ...args], { cwd: world.folder });
  expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
  return (JSON.parse(out) as { digest: string }).digest;
}

function run(command: string, ...args: readonly string[]): string {
  return runProgram(command, args, { env: { HOME: world.folder }, cwd: world.folder });
}

/** Places that a test makes, by what they are called in titles. */
const PLACES: Readonly<Record<string, (name: string) => string>> = {
  registry: (name) => `${registry.host}/pairs/${name}:1`,
  store: (name) => `store:${name}:1`,
  oci: (name) => `oci:layout-${name}:1`,
  "oci-archive": (name) => `oci-archive:${name}.oci.tar:1`,
  "docker-archive": (name) => `docker-archive:${name}.docker.tar:${name}:1`,
};

function place(kind: string, name: string): string {
  const make = PLACES[kind];
  if (!make) throw new Error(`no place ${kind}`);
  return make(name);
}

const PAIRS = Object.keys(PLACES).flatMap((from) =>
  Object.keys(PLACES).flatMap((to) => (from === "store" && to === "store" ? [] : [[from, to] as const])),
);

describe.skipIf(missing !== undefined)("a copy", () => {
  it.each(PAIRS)("from %s to %s keeps the digest, and what arrives runs", (from, to) => {
    const digest = copy(`${registry.host}/first:1`, place(from, `a-${from}-${to}`));
    expect(copy(place(from, `a-${from}-${to}`), place(to, `b-${from}-${to}`))).toBe(digest);
    const last = `store:c-${from}-${to}:1`;
    if (to !== "store") expect(copy(place(to, `b-${from}-${to}`), last)).toBe(digest);
    const name = (to === "store" ? place(to, `b-${from}-${to}`) : last).slice("store:".length);
    expect(world.ok("run", "--rm", name)).toBe("hello");
  });

  it("to the same place again sends nothing", () => {
    const name = `${registry.host}/again:1`;
    copy(`${registry.host}/first:1`, name);
    const words = ["copy", "--json", `${registry.host}/first:1`, name];
    expect(JSON.parse(world.ok(...words))).toMatchObject({
      existed: true,
      bytes: 0,
      blobs: { copied: 0, mounted: 0, existing: 0 },
    });
    expect(JSON.parse(world.ok("copy", "--json", `${registry.host}/first:1`, `${registry.host}/near:1`))).toMatchObject(
      {
        existed: false,
        blobs: { copied: 0, mounted: 2 },
      },
    );
  });

  it("tells what is wrong with a place, and what to write instead", () => {
    const failures = [
      [["first:1", "oci:x"], "E_REGISTRY", ""],
      [[`${registry.host}/none:1`, "oci:x"], "E_REGISTRY_NOTFOUND", "check the name and the tag"],
      [["busybox", "oci:x"], "E_REGISTRY", "write `store:busybox`"],
      [["127.0.0.1:1/x", "oci:x"], "E_REGISTRY", "check that"],
      [["oci-archiv:x.tar", "store:x"], "E_USAGE", "did you mean `oci-archive:`?"],
      [["dir:x", "store:x"], "E_USAGE", "write `oci:FOLDER`"],
      [["oci:none", "store:x"], "E_IO", ""],
      [["oci:busybox", "store:x"], "E_LAYOUT", ""],
      [["store:busybox", "store:x"], "E_USAGE", "use `tare tag`"],
      [["store:none", "oci:x"], "E_IMAGE_NOTFOUND", ""],
      [["-a", "--platform", "linux/arm64", "store:busybox", "oci:x"], "E_USAGE", ""],
      [["--platform", "linux/arm64", `${registry.host}/first:1`, "oci:x"], "E_PLATFORM", "leave out `--platform`"],
      [["--referrers", "store:busybox", "oci:x"], "E_UNSUPPORTED", "copy from the registry"],
      [["docker-daemon:x", "store:x"], "E_DOCKER", "is Docker running?"],
    ] as const;
    const env = { DOCKER_HOST: `unix://${world.folder}/no.sock`, HTTPS_PROXY: "http://127.0.0.1:1" };
    for (const [args, code, hint] of failures) {
      const { code: exit, err, out } = world.tare(["copy", ...args], { cwd: world.folder, env });
      expect({ args, failed: exit !== 0, out }).toEqual({ args, failed: true, out: "" });
      expect(err).toContain(`error[${code}]`);
      expect(err).toContain(hint);
    }
    expect(fs.existsSync(join(world.folder, "x/index.json"))).toBe(false);
  });
});

describe.skipIf(!has("skopeo"))("skopeo", () => {
  const skopeo = (...args: readonly string[]): string =>
    run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", ...args);
  const first = (): string => `docker://${registry.host}/first:1`;

  it.each(["oci", "oci-archive", "docker-archive"])("reads the %s that Tare writes", (kind) => {
    const digest = copy(`${registry.host}/first:1`, place(kind, `to-skopeo-${kind}`));
    skopeo("--preserve-digests", place(kind, `to-skopeo-${kind}`), `oci:from-${kind}:1`);
    const name = place("registry", `skopeo-${kind}`);
    const arrived = copy(`oci:from-${kind}:1`, name);
    // A docker archive has no manifest that skopeo would take.
    if (kind !== "docker-archive") expect(arrived).toBe(digest);
    expect(copy(name, `store:from-${kind}:1`)).toBe(arrived);
    expect(world.ok("run", "--rm", `from-${kind}:1`)).toBe("hello");
  });

  it.each(["oci", "oci-archive", "docker-archive"])(
    "writes a %s that Tare copies to a registry, and it runs",
    (kind) => {
      skopeo(first(), place(kind, `by-skopeo-${kind}`));
      const name = place("registry", `by-skopeo-${kind}`);
      copy(place(kind, `by-skopeo-${kind}`), name);
      const raw = run("skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`);
      expect(raw).toContain("+gzip");
      copy(name, `store:by-skopeo-${kind}:1`);
      expect(world.ok("run", "--rm", `by-skopeo-${kind}:1`)).toBe("hello");
    },
  );
});

const CLIENTS = ["/usr/bin/docker", "/usr/local/bin/docker"];

/** A client of Docker whose `manifest inspect` reaches a registry without TLS. */
function findClient(): string | undefined {
  return CLIENTS.find((client) => {
    const words = ["manifest", "inspect", "--insecure", `${registry.host}/first:1`];
    return spawnSync(client, words, { env: { ...process.env, HOME: world.folder } }).status === 0;
  });
}

describe.skipIf(!has("docker"))("docker manifest inspect", () => {
  it("prints the same, byte for byte", () => {
    const client = findClient();
    if (client === undefined) return console.log("skipped: no docker client that inspects manifests");
    for (const options of [[], ["-v"]]) {
      const words = ["manifest", "inspect", ...options, "--insecure", `${registry.host}/first:1`];
      expect(`${world.ok(...words)}\n`).toBe(run(client, ...words));
    }
    const raw = world.ok("manifest", "inspect", "--raw", `${registry.host}/first:1`);
    const [pushed] = JSON.parse(world.ok("push", "--json", `${registry.host}/first:1`)) as { digest: string }[];
    expect(digestOf(raw)).toBe(pushed?.digest);
    return undefined;
  });
});
