// SPDX-License-Identifier: Apache-2.0
/*
 * Push and pull against Debian's docker-registry: what Tare pushes is pulled by skopeo, podman and dockerd with equal
 * diffIDs and config, and what skopeo pushes is pulled by Tare with equal digests. The program runs from its sources.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/base/index.ts";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
import { hasPrograms, runProgram } from "../support/peer-program.ts";
import { removeRunFiles } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";

const ENTRY = join(import.meta.dirname, "../../src/cli/entry.ts");
/** bcrypt of `secret`. */
const HTPASSWD = "ann:$2b$04$o.SFUPo10DP.VqT4IfXmbOTbYYlxQfMfJSKSTlcLXPGmPle8Vml0u\n";
const isRoot = process.getuid?.() === 0;
const missing = isRoot ? whyNoRegistry() : "needs root";
if (missing) console.log(`skipped: registry: ${missing}`);

let folder = "";
let registry: RegistryPeer;
let id = "";
let diffIds: readonly string[] = [];

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** A store of its own. */
  readonly store?: string;
}

const roots = new Set<string>();

function attempt(words: readonly string[], world: World = {}): Outcome {
  const root = join(folder, world.store ?? "store");
  roots.add(root);
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, TARE_ROOT: root, TARE_SYNC: "none", ...world.env };
  const child = spawnSync(process.execPath, [ENTRY, ...words], {
    env,
    cwd: folder,
    input: world.input ?? "",
    encoding: "utf8",
  });
  return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
}

function tare(words: readonly string[], world: World = {}): string {
  const { code, out, err } = attempt(words, world);
  if (code !== 0) throw new Error(`tare ${words.join(" ")}: ${err}`);
  return out.trim();
}

function run(command: string, ...args: readonly string[]): string {
  return runProgram(command, args, { env: { HOME: folder } });
}

function has(...programs: readonly string[]): boolean {
  return hasPrograms(missing, ...programs);
}

interface Inspected {
  readonly Id: string;
  readonly RootFS: { readonly Layers: readonly string[] };
  readonly Config: { readonly Env: readonly string[]; readonly Cmd: readonly string[] };
}

function inspect(name: string, world: World = {}): Inspected {
  const [first] = JSON.parse(tare(["image", "inspect", name], world)) as Inspected[];
  if (!first) throw new Error("nothing to inspect");
  return first;
}

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-registry-"));
  if (missing) return;
  registry = await startRegistry(join(folder, "registry"));
  fs.mkdirSync(join(folder, "context"));
  fs.writeFileSync(join(folder, "context/big"), Buffer.alloc(3_000_000, "0123456789abcdef tare "));
  fs.writeFileSync(join(folder, "context/small"), "small\n");
  const lines = ["FROM scratch", "COPY big /data/big", "COPY small /small", "COPY small /data/", "ENV A=ä"];
  fs.writeFileSync(join(folder, "context/Dockerfile"), [...lines, 'CMD ["/small"]', ""].join("\n"));
  tare(["build", "-q", "-t", `${registry.host}/team/app:1`, "context"]);
  ({
    Id: id,
    RootFS: { Layers: diffIds },
  } = inspect(`${registry.host}/team/app:1`));
  tare(["push", "-q", `${registry.host}/team/app:1`]);
});

afterAll(async () => {
  if (!missing) await registry.stop();
  fs.rmSync(folder, { recursive: true, force: true });
  for (const root of roots) removeRunFiles(root);
});

describe.skipIf(missing !== undefined)("tare", () => {
  it("pulls what it pushed, by tag and by digest, with the same id, diffIDs and digest", () => {
    const name = `${registry.host}/team/app:1`;
    const [pushed] = JSON.parse(tare(["push", "--json", name])) as { digest: string; existed: boolean }[];
    expect(pushed?.existed).toBe(true);
    expect(tare(["pull", name], { store: "pulled" })).toContain(`Digest: ${pushed?.digest}\nStatus: Downloaded newer`);
    expect(tare(["pull", name], { store: "pulled" })).toContain("Image is up to date");
    expect(inspect(name, { store: "pulled" })).toMatchObject({ Id: id, RootFS: { Layers: diffIds } });
    const pinned = `${registry.host}/team/app@${pushed?.digest}`;
    expect(tare(["pull", "-q", pinned], { store: "pinned" })).toBe(pinned);
    expect(inspect(pinned, { store: "pinned" }).Id).toBe(id);
  });

  it("builds from an image that only the registry has, and pushes the result", () => {
    const other = `${registry.host}/team/next:2`;
    fs.mkdirSync(join(folder, "next"), { recursive: true });
    fs.writeFileSync(join(folder, "next/Dockerfile"), `FROM ${registry.host}/team/app:1\nCOPY Dockerfile /new\n`);
    const words = ["build", "--push", "-t", other, "--metadata-file", "meta.json", "next"];
    expect(attempt(words, { store: "next" })).toMatchObject({ code: 0 });
    const metadata = JSON.parse(fs.readFileSync(join(folder, "meta.json"), "utf8")) as Record<string, unknown>;
    expect(tare(["pull", other], { store: "again" })).toContain(`Digest: ${String(metadata["containerimage.digest"])}`);
    expect(inspect(other, { store: "again" }).RootFS.Layers.slice(0, -1)).toEqual(diffIds);
  });

  it("makes a container of an image that only the registry has, unless it may not", () => {
    const name = `${registry.host}/team/app:1`;
    expect(attempt(["create", "--pull", "never", name], { store: "create" }).err).toContain("E_IMAGE_NOTFOUND");
    expect(tare(["create", name], { store: "create" })).toMatch(/^[0-9a-f]{64}$/);
    expect(attempt(["create", `${registry.host}/team/app:none`], { store: "create" }).err).toContain("answers 404");
  });

  it("pushes all tags, and pulls all tags", () => {
    for (const tag of ["a", "b"]) tare(["tag", `${registry.host}/team/app:1`, `${registry.host}/all:${tag}`]);
    const names = ["a", "b"].map((tag) => `${registry.host}/all:${tag}`);
    expect(tare(["push", "-q", "-a", `${registry.host}/all`]).split("\n")).toEqual(names);
    // Where there is no referrers API, a tag that is no image stands for what is attached.
    tare(["push", "-q", "--sbom", `${registry.host}/all:a`]);
    expect(
      tare(["pull", "-q", "-a", `${registry.host}/all`], { store: "all" })
        .split("\n")
        .sort(),
    ).toEqual(names);
  });

  it("says in a moment what is wrong with a name, a registry that is not there, and an image that is not here", () => {
    const started = Date.now();
    expect(attempt(["pull", `${registry.host}/no/such:1`])).toMatchObject({ code: 1, out: "" });
    expect(attempt(["pull", `${registry.host}/no/such:1`]).err).toContain("error[E_REGISTRY_NOTFOUND]");
    expect(attempt(["pull", "127.0.0.1:1/x"]).err).toContain("the connection was refused");
    expect(attempt(["push", `${registry.host}/no/such:1`]).err).toContain("error[E_IMAGE_NOTFOUND]");
    expect(attempt(["pull", "x"], { env: { TARE_OFFLINE: "1" } }).err).toContain("TARE_OFFLINE is set");
    expect(Date.now() - started).toBeLessThan(15_000);
  });
});

describe.skipIf(!has("skopeo"))("skopeo", () => {
  const copy = (...args: string[]): string => run("skopeo", "--insecure-policy", "copy", "-q", ...args);
  const raw = (name: string): string => run("skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`);

  it("pulls what Tare pushed", () => {
    const name = `${registry.host}/team/app:1`;
    copy("--src-tls-verify=false", `docker://${name}`, `oci:${folder}/layout:1`);
    const manifest = JSON.parse(raw(name)) as { config: { digest: string } };
    expect(manifest.config.digest).toBe(id);
    tare(["load", "-q", "-i", join(folder, "layout")], { store: "skopeo" });
    expect(inspect(id, { store: "skopeo" })).toMatchObject({ Id: id, RootFS: { Layers: diffIds } });
  });

  it.each([
    ["oci", ["--format", "oci"]],
    ["docker schema 2", ["--format", "v2s2"]],
    ["zstd", ["--format", "oci", "--dest-compress-format", "zstd", "--dest-compress"]],
  ])("pushes %s, and Tare pulls it with the digest it has there, and pushes it on unchanged", (kind, options) => {
    tare(["save", "--format", "oci", "-o", "saved.tar", `${registry.host}/team/app:1`]);
    const name = `${registry.host}/skopeo/${kind.replaceAll(" ", "")}:1`;
    copy("--dest-tls-verify=false", ...options, `oci-archive:${folder}/saved.tar`, `docker://${name}`);
    const world = { store: `from-${kind}` };
    const digest = digestOf(raw(name));
    expect(tare(["pull", name], world)).toContain(`Digest: ${digest}`);
    expect(inspect(name, world)).toMatchObject({ RootFS: { Layers: diffIds }, Config: { Cmd: ["/small"] } });
    const on = name.replace("/skopeo/", "/on/");
    tare(["tag", name, on], world);
    expect(tare(["push", on], world)).toContain(digest);
    expect(raw(on)).toBe(raw(name));
  });
});

describe.skipIf(!has("podman"))("podman", () => {
  it.each(["gzip", "zstd", "none"])("pulls what Tare pushed with %s", (compression) => {
    const name = `${registry.host}/podman:${compression}`;
    tare(["tag", `${registry.host}/team/app:1`, name]);
    tare(["push", "-q", "--compression", compression, name]);
    const storage = ["--root", join(folder, "podman"), "--runroot", join(folder, "podman-run")];
    const podman = (...args: string[]): string => run("podman", ...storage, "--storage-driver", "vfs", ...args);
    podman("pull", "-q", "--tls-verify=false", name);
    const [image] = JSON.parse(podman("image", "inspect", name)) as (Inspected & { Id: string })[];
    expect(`sha256:${image?.Id}`).toBe(id);
    expect(image?.RootFS.Layers).toEqual(diffIds);
    podman("rmi", "-f", name);
  });
});

const noDocker = missing ?? whyNoDocker();
if (noDocker) console.log(`skipped: dockerd: ${noDocker}`);

describe.skipIf(noDocker !== undefined)("dockerd", () => {
  it("pulls what Tare pushed, and Tare pulls what it pushes", async () => {
    const peer = await startDocker(join(folder, "docker"));
    const pid = Number(fs.readFileSync(join(folder, "docker/pid"), "utf8"));
    // The engine has a network of its own: a second registry serves the same storage there.
    run("nsenter", "-t", String(pid), "-n", "ip", "link", "set", "lo", "up");
    const { storage, port } = registry;
    const inner = await startRegistry(join(folder, "inner"), { storage, port, namespaceOf: pid });
    try {
      const name = `${registry.host}/team/app:1`;
      peer.docker(["pull", "-q", name]);
      const [image] = JSON.parse(peer.docker(["image", "inspect", name])) as Inspected[];
      expect(image).toMatchObject({ Id: id, RootFS: { Layers: diffIds }, Config: { Cmd: ["/small"] } });
      const pushed = `${registry.host}/docker:1`;
      peer.docker(["tag", name, pushed]);
      peer.docker(["push", "-q", pushed]);
      tare(["pull", "-q", pushed], { store: "docker" });
      expect(inspect(pushed, { store: "docker" })).toMatchObject({ Id: id, RootFS: { Layers: diffIds } });
    } finally {
      await inner.stop();
      await peer.stop();
    }
  });
});

describe.skipIf(missing !== undefined)("a registry with a login", () => {
  it("takes it from `tare login`, and nothing after `tare logout`", async () => {
    const closed = await startRegistry(join(folder, "closed"), { htpasswd: HTPASSWD });
    try {
      const name = `${closed.host}/app:1`;
      tare(["tag", `${registry.host}/team/app:1`, name]);
      const refused = attempt(["push", name]);
      expect(refused.err).toContain("error[E_REGISTRY_AUTH]");
      expect(refused.err).toContain(`hint: log in with \`tare login ${closed.host}\``);
      const words = ["login", "-u", "ann", "--password-stdin", closed.host];
      expect(attempt(words, { input: "wrong\n" }).err).toContain("error[E_REGISTRY_AUTH]");
      expect(tare(words, { input: "secret\n" })).toBe("Login Succeeded");
      expect(fs.statSync(join(folder, ".docker/config.json")).mode & 0o777).toBe(0o600);
      expect(tare(["login", closed.host])).toBe("Login Succeeded");
      expect(tare(["push", name])).toContain("1: digest: sha256:");
      expect(tare(["logout", closed.host])).toBe(`Removing login credentials for ${closed.host}`);
      expect(attempt(["pull", name]).err).toContain("error[E_REGISTRY_AUTH]");
    } finally {
      await closed.stop();
    }
  });
});

describe.skipIf(missing !== undefined)("a registry with TLS", () => {
  it("is trusted by its authority's certificate, or when it is named as insecure", async () => {
    const secure = await startRegistry(join(folder, "secure"), { tls: true });
    try {
      const name = `${secure.host}/app:1`;
      tare(["tag", `${registry.host}/team/app:1`, name]);
      expect(attempt(["push", name]).err).toContain("certificate is not trusted");
      expect(tare(["push", name], { env: { SSL_CERT_FILE: secure.certificate } })).toContain("digest: sha256:");
      const insecure = { TARE_INSECURE_REGISTRIES: secure.host };
      expect(tare(["pull", name], { env: insecure, store: "tls" })).toContain("Downloaded newer image");
    } finally {
      await secure.stop();
    }
  });
});
