// SPDX-License-Identifier: Apache-2.0
/*
 * Images in every form that a registry may hold, pushed by others, pulled and run by Tare; and Tare's in every form,
 * pulled and run by others. `hello` is what all of them must say.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/base/index.ts";
import { MEDIA_TYPES } from "../../src/oci/index.ts";
import { startContainerd, whyNoContainerd } from "../support/containerd.ts";
import type { ContainerdPeer } from "../support/containerd.ts";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
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
let count = 0;

beforeAll(async () => {
  if (missing) return;
  world = openProgramWorld("forms");
  registry = await startRegistry(join(world.folder, "registry"));
  addBusyboxImage(world, 'ENTRYPOINT ["/bin/busybox", "echo", "hello"]');
  world.ok("tag", "busybox", `${registry.host}/bb:1`);
  world.ok("push", "-q", `${registry.host}/bb:1`);
  world.ok("save", "--format", "oci", "-o", join(world.folder, "plain.tar"), "busybox");
  world.ok("copy", "-q", "store:busybox", `oci:${join(world.folder, "plain")}:1`);
});
afterAll(async () => {
  if (missing) return;
  await registry.stop();
  world.close();
});

function run(command: string, ...args: readonly string[]): string {
  return runProgram(command, args, { env: { HOME: world.folder } });
}

function skopeo(...args: readonly string[]): string {
  return run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", "--src-tls-verify=false", ...args);
}

const PODMAN = ["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs"];

function podman(...args: readonly string[]): string {
  const place = ["--root", join(world.folder, "podman"), "--runroot", join(world.folder, "podman-run")];
  return run("podman", ...place, ...PODMAN, ...args);
}

function raw(name: string): string {
  return run("skopeo", "inspect", "--raw", "--tls-verify=false", `docker://${name}`);
}

/** Pulled into an empty store, run, and copied on with all that belongs to it. */
function expectHello(name: string): void {
  count += 1;
  const env = world.another(`store-${count}`);
  const digest = digestOf(raw(name));
  const pulled = world.tare(["pull", name], { env });
  expect(pulled.err + pulled.out).toContain(`Digest: ${digest}`);
  expect(world.tare(["run", "--rm", name], { env })).toMatchObject({ code: 0, out: "hello\n" });
  const copied = world.tare(["copy", "-q", "--all-platforms", name, `${registry.host}/copied:${count}`], { env });
  expect(copied).toMatchObject({ code: 0, out: `${digest}\n` });
  expect(raw(`${registry.host}/copied:${count}`)).toBe(raw(name));
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layout folder that a test fills. */
class Layout {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(world.folder, name);
    fs.mkdirSync(join(this.folder, "blobs/sha256"), { recursive: true });
    fs.writeFileSync(join(this.folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  }

  blob(mediaType: string, content: Buffer | object): Blob {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    fs.writeFileSync(join(this.folder, "blobs/sha256", digestOf(bytes).slice(7)), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  }

  finish(top: Blob): string {
    const entry = { ...top, annotations: { "org.opencontainers.image.ref.name": "1" } };
    fs.writeFileSync(join(this.folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
    return `oci:${this.folder}:1`;
  }
}

/** The image's config and the tars of its layers. */
function parts(): { readonly config: Buffer; readonly layers: readonly Buffer[] } {
  const read = (path: string): Buffer => fs.readFileSync(join(world.folder, "plain", path));
  const index = JSON.parse(read("index.json").toString()) as { manifests: Blob[] };
  const at = (digest = ""): string => `blobs/sha256/${digest.slice(7)}`;
  const manifest = JSON.parse(read(at(index.manifests[0]?.digest)).toString()) as { config: Blob; layers: Blob[] };
  return { config: read(at(manifest.config.digest)), layers: manifest.layers.map(({ digest }) => read(at(digest))) };
}

function manifestOf(layout: Layout, compress: (tar: Buffer) => Buffer, mediaType: string): Blob {
  const { config, layers } = parts();
  return layout.blob(MEDIA_TYPES.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: layout.blob(MEDIA_TYPES.ociConfig, config),
    layers: layers.map((tar) => layout.blob(mediaType, compress(tar))),
  });
}

/** As pigz and estargz write it: one gzip file of several members, one of them empty. */
function severalMembers(tar: Buffer): Buffer {
  const cuts = [0, 10_000, 10_000, 300_000, tar.length];
  return Buffer.concat(cuts.slice(1).map((end, index) => gzipSync(tar.subarray(cuts[index], end))));
}

/** An index as BuildKit writes it: an image, one for another machine, and an attestation of the first. */
function attested(name: string): string {
  const layout = new Layout(name);
  const image = manifestOf(layout, (tar) => gzipSync(tar), MEDIA_TYPES.ociLayerGzip);
  const statement = layout.blob("application/vnd.in-toto+json", { _type: "https://in-toto.io/Statement/v0.1" });
  const unknown = layout.blob(MEDIA_TYPES.ociConfig, {
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: [statement.digest] },
  });
  const attestation = layout.blob(MEDIA_TYPES.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: unknown,
    layers: [statement],
  });
  const entries = [
    { ...attestation, platform: { architecture: "unknown", os: "unknown" }, annotations: attestationOf(image) },
    { ...image, platform: { architecture: "amd64", os: "linux" } },
  ];
  return layout.finish(
    layout.blob(MEDIA_TYPES.ociIndex, { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: entries }),
  );
}

function attestationOf({ digest }: Blob): Readonly<Record<string, string>> {
  return { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest };
}

describe.skipIf(!has("skopeo"))("Tare pulls and runs what skopeo pushed", () => {
  const plain = (): string => `oci:${join(world.folder, "plain")}:1`;
  it.each([
    ["Docker's schema 2", "v2s2", plain, ["--format", "v2s2"]],
    ["OCI with gzip", "oci", plain, ["--format", "oci"]],
    ["zstd", "zstd", plain, ["--dest-compress", "--dest-compress-format", "zstd"]],
    ["plain layers", "none", plain, ["--preserve-digests"]],
    [
      "gzip of several members",
      "members",
      (): string => {
        const layout = new Layout("members");
        return layout.finish(manifestOf(layout, severalMembers, MEDIA_TYPES.ociLayerGzip));
      },
      ["--preserve-digests"],
    ],
    ["an index with an attestation", "attested", (): string => attested("attested"), ["--all", "--preserve-digests"]],
  ] as const)("%s", (_, tag, source, options) => {
    const name = `${registry.host}/skopeo:${tag}`;
    skopeo(...options, source(), `docker://${name}`);
    expectHello(name);
  });
});

describe.skipIf(!has("podman") || !has("skopeo"))("podman and Tare", () => {
  it.each(["oci", "v2s2"])("Tare pulls and runs podman's %s, and a list of several platforms of it", (format) => {
    const own = `${registry.host}/podman:${format}`;
    podman("pull", "-q", "--tls-verify=false", `${registry.host}/bb:1`);
    podman("push", "-q", "--tls-verify=false", "--format", format, `${registry.host}/bb:1`, `docker://${own}`);
    expectHello(own);
    const list = `${registry.host}/podman:list-${format}`;
    podman("manifest", "create", list);
    for (const architecture of ["s390x", "amd64"]) {
      podman("manifest", "add", "--tls-verify=false", "--arch", architecture, list, `docker://${own}`);
    }
    podman("manifest", "push", "-q", "--all", "--tls-verify=false", "--format", format, list, `docker://${list}`);
    expectHello(list);
  });

  it.each(["gzip", "gzip:single", "estargz", "zstd", "none"])("podman runs what Tare pushed with %s", (form) => {
    const name = `${registry.host}/to-podman:${form.replace(":", "-")}`;
    world.ok("tag", "busybox", name);
    world.ok("push", "-q", "--compression", form, name);
    podman("pull", "-q", "--tls-verify=false", name);
    const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
    expect(podman("run", "--rm", "--network", "none", "--log-driver", "none", ...limits, name)).toBe("hello\n");
    podman("rmi", "-f", name);
  });
});

const noContainerd = missing ?? whyNoContainerd();
if (noContainerd) console.log(`skipped: containerd: ${noContainerd}`);

describe.skipIf(noContainerd !== undefined)("containerd and Tare", () => {
  let peer: ContainerdPeer;
  beforeAll(async () => {
    peer = await startContainerd(join(world.folder, "containerd"));
  });
  afterAll(() => peer.stop());

  it.each(["gzip", "gzip:single", "estargz", "zstd", "none"])("containerd runs what Tare pushed with %s", (form) => {
    const name = `${registry.host}/to-containerd:${form.replace(":", "-")}`;
    world.ok("tag", "busybox", name);
    world.ok("push", "-q", "--compression", form, name);
    peer.ctr("images", "pull", "--plain-http", "--snapshotter", "native", name);
    const id = `c-${form.replace(":", "-")}`;
    expect(peer.ctr("run", "--rm", "--snapshotter", "native", name, id)).toBe("hello\n");
  });

  it("Tare pulls and runs what containerd pushed, as it pulled it and with plain layers", () => {
    const pulled = `${registry.host}/to-containerd:gzip`;
    const own = `${registry.host}/containerd:1`;
    peer.ctr("images", "push", "--plain-http", own, pulled);
    expectHello(own);
    peer.ctr("images", "import", "--snapshotter", "native", join(world.folder, "plain.tar"));
    const plain = `${registry.host}/containerd:plain`;
    peer.ctr("images", "push", "--plain-http", plain, "docker.io/library/busybox:latest");
    expect(raw(plain)).toContain('"application/vnd.oci.image.layer.v1.tar"');
    expectHello(plain);
  });
});

const noDocker = missing ?? whyNoDocker();
if (noDocker) console.log(`skipped: dockerd: ${noDocker}`);

describe.skipIf(noDocker !== undefined)("dockerd and Tare", () => {
  it("run what the other pushed, and hand images over by `copy`", async () => {
    const peer = await startDocker(join(world.folder, "docker"));
    const pid = Number(fs.readFileSync(join(world.folder, "docker/pid"), "utf8"));
    run("nsenter", "-t", String(pid), "-n", "ip", "link", "set", "lo", "up");
    const { storage, port } = registry;
    const inner = await startRegistry(join(world.folder, "inner"), { storage, port, namespaceOf: pid });
    try {
      const name = `${registry.host}/bb:1`;
      peer.docker(["pull", "-q", name]);
      expect(peer.docker(["run", "--rm", "--network", "none", name])).toBe("hello\n");
      const own = `${registry.host}/docker:1`;
      peer.docker(["tag", name, own]);
      peer.docker(["push", "-q", own]);
      expectHello(own);
      const env = { DOCKER_HOST: `unix://${join(world.folder, "docker/s")}` };
      const copy = (...args: readonly string[]): string => {
        const { code, out, err } = world.tare(["copy", "-q", ...args], { env });
        expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
        return out.trim();
      };
      copy(name, "docker-daemon:handed:1");
      expect(peer.docker(["run", "--rm", "--network", "none", "handed:1"])).toBe("hello\n");
      copy("store:busybox", "docker-daemon:from-store:1");
      expect(peer.docker(["run", "--rm", "--network", "none", "from-store:1"])).toBe("hello\n");
      copy("docker-daemon:handed:1", `${registry.host}/back:1`);
      expect(raw(`${registry.host}/back:1`)).toContain("+gzip");
      expectHello(`${registry.host}/back:1`);
      copy("docker-daemon:handed:1", "store:back:1");
      expect(world.ok("run", "--rm", "back:1")).toBe("hello");
      const gone = world.tare(["copy", "docker-daemon:no-such:1", "store:x"], { env });
      expect(gone.err).toMatch(/error\[E_DOCKER\].*no-such/);
    } finally {
      await inner.stop();
      await peer.stop();
    }
  });
});
