// SPDX-License-Identifier: Apache-2.0
/*
 * Images saved by Tare load in dockerd, buildah (containers/image, as podman), skopeo, umoci and containerd, and what
 * those write loads in Tare: config and root file system are compared, not only exit codes. Peers run with sockets and
 * data folders of their own; one that is not installed is skipped with that reason.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Ajv04 from "ajv-draft-04";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packTree } from "../../src/archive/index.ts";
import { linux, hexOf } from "../../src/base/index.ts";
import type { DiffId } from "../../src/base/index.ts";
import { exportFlatTar, imageDetails, loadImages, loadIntoDocker } from "../../src/images/index.ts";
import { saveImagesToFile, saveLayoutFolder, writeImage } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import { TreeView, openStore } from "../../src/store/index.ts";
import type { ImageRecord, Store } from "../../src/store/index.ts";
import { hasPrograms, runProgram } from "../support/peer-program.ts";

const host = hostPlatform(process.arch);
const NAME = "docker.io/library/exchange:1";
const isRoot = process.getuid?.() === 0;
let folder = "";
let store: Store;
let record: ImageRecord;
let count = 0;
const stores: Store[] = [];

function has(...programs: readonly string[]): boolean {
  return hasPrograms(isRoot ? undefined : "needs root", ...programs);
}

function run(command: string, ...args: readonly string[]): string {
  return runProgram(command, args);
}

function newStore(): Store {
  count += 1;
  const opened = openStore({ root: join(folder, `store-${count}`), sync: "none" });
  stores.push(opened);
  return opened;
}

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-exchange-"));
  if (!isRoot) return;
  store = newStore();
  record = await makeImage(store);
  await saveImagesToFile(store, items(), join(folder, "docker.tar"), { format: "docker" });
  await saveImagesToFile(store, items(), join(folder, "oci.tar"), { format: "oci" });
  await saveLayoutFolder(store, items(), join(folder, "layout"));
});
afterAll(() => {
  for (const opened of stores) opened.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const items = (): { record: ImageRecord; names: readonly string[] }[] => [{ record, names: [NAME] }];

/** Everything a layer can hold: owners, modes, links of both kinds, attributes, odd names, whiteouts, opaque folders. */
async function makeImage(target: Store): Promise<ImageRecord> {
  const lower = await makeLayer(target, (tree) => {
    for (const name of ["etc", "data/old", "gone"]) fs.mkdirSync(join(tree, name), { recursive: true });
    fs.writeFileSync(join(tree, "etc/passwd"), "root:x:0:0::/:/bin/sh\n");
    fs.writeFileSync(join(tree, "data/old/file"), "hidden");
    fs.writeFileSync(join(tree, "gone/file"), "deleted");
    fs.writeFileSync(join(tree, "big"), Buffer.alloc(3_000_000, "tare"));
    fs.linkSync(join(tree, "big"), join(tree, "etc/hard"));
    fs.symlinkSync("../etc/passwd", join(tree, "data/link"));
    fs.chownSync(join(tree, "big"), 1000, 100_000);
    fs.chmodSync(join(tree, "big"), 0o4755);
    linux.lsetxattr(join(tree, "big"), "user.binary", Buffer.from([0, 255, 10]));
  });
  const upper = await makeLayer(target, (tree) => {
    linux.mknod(join(tree, "gone"), linux.S_IFCHR, linux.makeDevice(0, 0));
    fs.mkdirSync(join(tree, "data/new"), { recursive: true });
    linux.lsetxattr(join(tree, "data"), "trusted.overlay.opaque", Buffer.from("y"));
    fs.writeFileSync(join(tree, "data/new/ünï"), "new");
    fs.mkdirSync(join(tree, `${"long".repeat(20)}/${"name".repeat(30)}`), { recursive: true });
    linux.mknod(join(tree, "pipe"), linux.S_IFIFO | 0o600);
  });
  const image = writeImage(target, {
    config: {
      created: "2001-02-03T04:05:06Z",
      architecture: host.architecture,
      os: "linux",
      config: {
        Env: ["PATH=/bin", "A=ä"],
        Cmd: ["/bin/sh", "-c", 'echo "x"'],
        Labels: { l: "1" },
        WorkingDir: "/data",
      },
      history: [{ created: "2001-02-03T04:05:06Z", created_by: "one" }, { created_by: "two" }],
    },
    layers: [lower, upper],
  });
  return target.images.put({ target: image.manifest, mediaType: image.mediaType, id: image.config }, [NAME]);
}

async function makeLayer(target: Store, fill: (tree: string) => void): Promise<DiffId> {
  const staging = target.layers.stage();
  fill(staging.tree);
  const clamp = { after: 0, to: 981_173_106 };
  const { diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs } = await packTree(staging.tree, undefined, {
    clamp,
  });
  return staging.commit({ diffId, size, contentSize, entries, opaque, whiteouts, hasXattrs }).diffId;
}

/** The merged tree as the text that GNU tar lists, one line an entry. */
async function listing(from: Store, image: ImageRecord): Promise<string> {
  const path = join(folder, "flat.tar");
  const descriptor = fs.openSync(path, "w");
  const write = (chunk: Uint8Array): void => void fs.writeSync(descriptor, chunk);
  await exportFlatTar([{ tree: new TreeView(imageDetails(from, image).layers) }], { write });
  fs.closeSync(descriptor);
  return run("tar", "tvf", path, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--full-time");
}

async function expectSame(path: string): Promise<ImageRecord> {
  const other = newStore();
  const [loaded] = await loadImages(other, path, { host });
  if (!loaded) throw new Error("nothing was loaded");
  const [mine, theirs] = [imageDetails(store, record).config, imageDetails(other, loaded).config];
  expect(theirs.config).toEqual(mine.config);
  expect(theirs.rootfs).toEqual(mine.rootfs);
  expect(await listing(other, loaded)).toBe(await listing(store, record));
  return loaded;
}

describe.skipIf(!has("skopeo"))("skopeo", () => {
  const copy = (from: string, to: string): string => run("skopeo", "--insecure-policy", "copy", "-q", from, to);
  it.each([
    ["docker-archive", () => `docker-archive:${folder}/docker.tar`],
    ["oci-archive", () => `oci-archive:${folder}/oci.tar:1`],
    ["oci", () => `oci:${folder}/layout:1`],
  ] as const)("reads our %s, and we read what it writes of it", async (kind, source) => {
    copy(source(), `oci:${folder}/skopeo-${kind}:1`);
    copy(source(), `docker-archive:${folder}/skopeo-${kind}.tar:exchange:1`);
    await expectSame(join(folder, `skopeo-${kind}`));
    const loaded = await expectSame(join(folder, `skopeo-${kind}.tar`));
    expect(loaded).toMatchObject({ id: record.id, names: [NAME] });
  });
});

describe.skipIf(!has("umoci"))("umoci", () => {
  it("unpacks our layout", () => {
    run("umoci", "unpack", "--image", join(folder, "layout:1"), join(folder, "umoci"));
    const root = join(folder, "umoci/rootfs");
    expect(fs.existsSync(join(root, "gone"))).toBe(false);
    expect(fs.readdirSync(join(root, "data"))).toEqual(["new"]);
    expect(fs.statSync(join(root, "big"))).toMatchObject({ uid: 1000, gid: 100_000, nlink: 2, size: 3_000_000 });
    expect(fs.statSync(join(root, "big")).mode & 0o7777).toBe(0o4755);
    expect(linux.lgetxattr(join(root, "big"), "user.binary")).toEqual(Buffer.from([0, 255, 10]));
  });
});

describe.skipIf(!has("buildah"))("buildah", () => {
  it("pulls our archives, and we read what it pushes", async () => {
    const storage = [
      "--root",
      join(folder, "buildah"),
      "--runroot",
      join(folder, "buildah-run"),
      "--storage-driver",
      "vfs",
    ];
    const id = run("buildah", ...storage, "pull", "-q", `docker-archive:${folder}/docker.tar`).trim();
    expect(`sha256:${id}`).toBe(record.id);
    run("buildah", ...storage, "push", "-q", id, `oci-archive:${folder}/buildah.tar`);
    await expectSame(join(folder, "buildah.tar"));
  });
});

describe.skipIf(!has("podman"))("podman", () => {
  it.each(["docker.tar", "oci.tar"])("loads our %s, and we read what it saves", async (name) => {
    const storage = ["--root", join(folder, "podman"), "--runroot", join(folder, "podman-run")];
    const podman = (...args: string[]): string => run("podman", ...storage, "--storage-driver", "vfs", ...args);
    expect(podman("load", "-q", "-i", join(folder, name))).toContain("exchange:1");
    expect(podman("inspect", "-f", "{{.Id}}", NAME).trim()).toBe(hexOf(record.id));
    podman("save", "-q", "--format", "oci-archive", "-o", join(folder, `podman-${name}`), NAME);
    podman("rmi", "-f", NAME);
    await expectSame(join(folder, `podman-${name}`));
  });
});

/** A daemon with its own folders in a network namespace of its own; resolves when `isUp`. */
async function startDaemon(args: readonly string[], isUp: () => boolean): Promise<ChildProcess> {
  const child = spawn("unshare", ["--net", "--kill-child", "--fork", ...args], { stdio: "ignore" });
  for (let tries = 0; tries < 150 && !isUp(); tries += 1) await sleep(200);
  if (!isUp()) throw new Error(`${args[0] ?? ""} did not start`);
  return child;
}

/** Waits for a daemon that was told to end, then ends it. `unshare` itself takes no SIGTERM while it waits. */
async function stopDaemon(child: ChildProcess, patience: number): Promise<void> {
  const gone = new Promise((done) => child.once("exit", done));
  await Promise.race([gone, sleep(patience)]);
  if (child.exitCode === null) child.kill("SIGKILL");
}

describe.skipIf(!has("dockerd") || !has("docker"))("dockerd", () => {
  let daemon: ChildProcess | undefined;
  let socket = "";
  const docker = (...args: string[]): string => run("docker", "-H", socket, ...args);

  beforeAll(async () => {
    socket = `unix://${folder}/docker.sock`;
    const data = ["--data-root", join(folder, "docker"), "--exec-root", join(folder, "docker-exec")];
    const rest = ["--pidfile", join(folder, "docker.pid"), "--iptables=false", "--bridge=none", "-H", socket];
    const isUp = (): boolean => spawnSync("docker", ["-H", socket, "version"]).status === 0;
    daemon = await startDaemon(["dockerd", ...data, ...rest], isUp);
  });
  afterAll(async () => {
    const pid = Number(fs.existsSync(join(folder, "docker.pid")) ? fs.readFileSync(join(folder, "docker.pid")) : 0);
    if (pid > 0) process.kill(pid, "SIGTERM");
    if (daemon) await stopDaemon(daemon, 15_000);
  });

  it.each(["docker.tar", "oci.tar"])("loads our %s (OCI alone from Docker 25 on)", (name) => {
    const major = Number(docker("version", "-f", "{{.Server.Version}}").split(".")[0]);
    if (name === "oci.tar" && major < 25) return console.log(`skipped: dockerd ${major} can't load OCI layouts`);
    expect(docker("load", "-i", join(folder, name))).toContain("exchange:1");
    expect(docker("inspect", "-f", "{{.Id}}", "exchange:1").trim()).toBe(record.id);
  });

  it("takes an image over its API, and saves what we read back", async () => {
    spawnSync("docker", ["-H", socket, "rmi", "-f", "exchange:1"]);
    const messages: string[] = [];
    await loadIntoDocker(store, items(), { host: socket, onMessage: (text) => messages.push(text) });
    expect(messages.join()).toContain("exchange:1");
    docker("save", "-o", join(folder, "from-docker.tar"), "exchange:1");
    expect(await expectSame(join(folder, "from-docker.tar"))).toMatchObject({ id: record.id, names: [NAME] });
  });
});

describe.skipIf(!has("containerd") || !has("ctr"))("containerd", () => {
  it.each(["docker.tar", "oci.tar"])("imports our %s, and we read what it exports", async (name) => {
    const address = join(folder, "containerd.sock");
    const config = join(folder, "containerd.toml");
    fs.writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const data = ["--root", join(folder, "containerd"), "--state", join(folder, "containerd-state")];
    const ctr = ["-a", address, "-n", "tare"];
    const isUp = (): boolean => spawnSync("ctr", [...ctr, "version"]).status === 0;
    const daemon = await startDaemon(["containerd", "-c", config, "-a", address, ...data], isUp);
    try {
      run("ctr", ...ctr, "images", "import", "--snapshotter", "native", join(folder, name));
      expect(run("ctr", ...ctr, "images", "ls")).toContain(`${NAME} `);
      expect(run("ctr", ...ctr, "images", "ls")).toContain(record.target);
      run("ctr", ...ctr, "images", "export", join(folder, `ctr-${name}`), NAME);
    } finally {
      await stopDaemon(daemon, 0);
    }
    expect(await expectSame(join(folder, `ctr-${name}`))).toMatchObject({ target: record.target, names: [NAME] });
  });
});

const schemas = join(
  process.env["TARE_CONFORMANCE"] ?? resolve(import.meta.dirname, "../../../shared/conformance"),
  "image-spec",
);
const hasSchemas = isRoot && fs.existsSync(schemas);
if (!hasSchemas) console.log(`skipped: JSON schemas: ${isRoot ? `not in ${schemas}` : "needs root"}`);

describe.skipIf(!hasSchemas)("JSON schemas of the image specification", () => {
  it.each([
    ["image-layout-schema.json", (): string => "oci-layout"],
    ["image-index-schema.json", (): string => "index.json"],
    ["image-manifest-schema.json", (): string => `blobs/sha256/${record.target.slice(7)}`],
    ["config-schema.json", (): string => `blobs/sha256/${record.id.slice(7)}`],
  ] as const)("%s accepts what we write", (schema, path) => {
    const ajv = new Ajv04.default({ strict: false, formats: { "date-time": true, uri: true } });
    for (const name of fs.readdirSync(schemas).filter((file) => file !== "cases.json")) {
      // Their ids differ from the names by which they refer to one another.
      const dropId = (key: string, value: unknown): unknown =>
        key === "id" && typeof value === "string" ? undefined : value;
      const value = JSON.parse(fs.readFileSync(join(schemas, name), "utf8"), dropId) as object;
      ajv.addSchema(value, name);
    }
    const document: unknown = JSON.parse(fs.readFileSync(join(folder, "layout", path()), "utf8"));
    const validate = ajv.getSchema(schema);
    expect(validate?.(document), JSON.stringify(validate?.errors)).toBe(true);
  });
});
