// SPDX-License-Identifier: Apache-2.0
/*
 * Layers that are gzip of several streams, with the wheels' own compressed bytes in them, are read by all others as
 * Tare means them: registries, engines, unpackers and decompressors give the same tree, down to modes and contents.
 * Peers run with folders, sockets and, where they are daemons, network namespaces of their own.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDocker, whyNoDocker } from "../support/dockerd.ts";
import type { DockerPeer } from "../support/dockerd.ts";
import { addFakePython } from "../support/fake-python.ts";
import { hasPrograms, runProgram } from "../support/peer-program.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";
import { compareFacts, folderTree, readTarTree, readTree } from "../support/tree.ts";
import type { TreeFacts } from "../support/tree.ts";
import { makeWheel } from "../support/wheel-fixture.ts";
import { fetchWheels, testWheel, whyNoWheels } from "../support/wheels.ts";

const FORMS = ["gzip", "gzip:single", "estargz"] as const;
/** A large one, scripts of both kinds, headers and data, many small files. */
const WHEELS = ["numpy", "jmespath", "uvicorn", "pybind11-global", "tzdata"];
/** The table of contents of eStargz is a file of the layer. */
const isTable = (path: string): boolean => path === "stargz.index.json";

const isRoot = process.getuid?.() === 0;
const missing = isRoot ? (whyNoRegistry() ?? whyNoWheels()) : "needs root";
if (missing !== undefined) console.log(`skipped: spliced layers: ${missing}`);

function has(...programs: readonly string[]): boolean {
  return hasPrograms(missing, ...programs);
}

let world: ProgramWorld;
let registry: RegistryPeer;
let expected: TreeFacts;

const name = (form: string): string => `${registry.host}/spliced:${form.replace(":", "-")}`;
const folder = (own: string): string => {
  const path = join(world.folder, own);
  fs.mkdirSync(path, { recursive: true });
  return path;
};

function run(command: string, ...args: readonly string[]): string {
  return runProgram(command, args, { env: { HOME: world.folder, TMPDIR: folder("peer-tmp") } });
}

beforeAll(async () => {
  if (missing !== undefined) return;
  world = openProgramWorld("spliced");
  registry = await startRegistry(folder("registry"));
  addFakePython(world);
  const project = await makeProject();
  world.ok("build", "-q", "--bytecode", "none", "-t", "spliced", project);
  const flat = join(world.folder, "flat.tar");
  world.ok("build", "-q", "--bytecode", "none", "-o", `type=tar,dest=${flat}`, project);
  expected = await readTarTree(flat);
  for (const form of FORMS) {
    world.ok("tag", "spliced", name(form));
    world.ok("push", "-q", "--compression", form, name(form));
  }
});
afterAll(async () => {
  if (missing !== undefined) return;
  await registry.stop();
  world.close();
});

/** A project whose lock names real wheels and one that has everything odd. */
async function makeProject(): Promise<string> {
  const odd = makeWheel({
    name: "odd",
    files: {
      "odd/__init__.py": "",
      "odd/ünï cödé/日本.txt": "text",
      "odd/program": Buffer.alloc(200_000, "#!/bin/sh\n"),
      "odd/stored": Buffer.alloc(100_000, "stored"),
      [`odd/${"long/".repeat(40)}name`]: "deep",
      "odd-1.0.data/scripts/run": "#!python\n",
    },
    modes: { "odd/program": 0o100755 },
    lies: { "odd/stored": { method: 0 } },
  });
  const paths = await fetchWheels(WHEELS);
  const sources = { "main.py": "import numpy\n", ".dockerignore": "*.whl\n", [odd.fileName]: odd.bytes };
  const project = world.files("project", sources);
  for (const path of paths) fs.copyFileSync(path, join(project, basename(path)));
  const rows = WHEELS.map((wheel) => testWheel(wheel));
  const sha256 = createHash("sha256").update(odd.bytes).digest("hex");
  rows.push({ name: "odd", version: "1.0", fileName: odd.fileName, size: odd.bytes.length, sha256 });
  const packages = rows.map(
    (row) =>
      `[[packages]]\nname = "${row.name}"\nversion = "${row.version}"\n` +
      `wheels = [{ path = "${row.fileName}", size = ${row.size}, hashes = { sha256 = "${row.sha256}" } }]\n`,
  );
  const settings = '[project]\nname = "app"\nversion = "1"\n[tool.tare]\nbase = "pybase"\n';
  const lock = `lock-version = "1.0"\ncreated-by = "test"\n${packages.join("")}`;
  return world.files("project", { "pylock.toml": lock, "pyproject.toml": settings });
}

function expectSame(found: TreeFacts): void {
  expect(found.size).toBeGreaterThan(2000);
  expect(compareFacts(expected, found, isTable)).toEqual([]);
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[];
}

/** A pushed image as the registry has it on disk. */
function blobPath(digest: string): string {
  const hex = digest.slice("sha256:".length);
  return join(registry.storage, "docker/registry/v2/blobs/sha256", hex.slice(0, 2), hex, "data");
}

function manifestOf(form: string): Manifest {
  const tag = form.replace(":", "-");
  const link = join(registry.storage, "docker/registry/v2/repositories/spliced/_manifests/tags", tag, "current/link");
  return JSON.parse(fs.readFileSync(blobPath(fs.readFileSync(link, "utf8")), "utf8")) as Manifest;
}

function diffIdsOf(form: string): readonly string[] {
  const config = fs.readFileSync(blobPath(manifestOf(form).config.digest), "utf8");
  return (JSON.parse(config) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}

const PYTHON = [
  "import gzip, hashlib, sys, tarfile",
  "path = sys.argv[1]",
  "names = [entry.name for entry in tarfile.open(path, 'r:gz')]",
  "assert len(names) == len(set(names)), 'names twice'",
  "digest = hashlib.sha256()",
  "stream = gzip.open(path)",
  "while piece := stream.read(1 << 20): digest.update(piece)",
  "print('sha256:' + digest.hexdigest())",
].join("\n");

const sha256 = (pipe: string): ((path: string) => string) => {
  return (path) => `sha256:${run("sh", "-ec", `${pipe} | sha256sum`, "sh", path).split(" ")[0] ?? ""}`;
};

describe.skipIf(missing !== undefined).each(FORMS)("blobs as %s", (form) => {
  const readers: readonly (readonly [string, readonly string[], (path: string) => string])[] = [
    ["gzip", ["gzip"], sha256('gzip -dc < "$1"')],
    ["pigz", ["pigz"], sha256('pigz -dc < "$1"')],
    ["busybox zcat", ["busybox"], sha256('busybox zcat < "$1"')],
    ["Python", ["python3"], (path) => run("python3", "-c", PYTHON, path).trim()],
  ];
  for (const [title, programs, digest] of readers) {
    it.skipIf(!has(...programs))(`are opened by ${title}`, () => {
      const paths = manifestOf(form).layers.map((layer) => blobPath(layer.digest));
      expect(paths.map(digest)).toEqual(diffIdsOf(form));
    });
  }

  it("are unpacked one over the other by GNU tar", async () => {
    const root = folder(`tar-${form}`);
    for (const { digest } of manifestOf(form).layers) run("tar", "-xzpf", blobPath(digest), "-C", root);
    expectSame(readTree(folderTree(root)));
  });

  it("hold the wheels' bytes: few members, hardly more than the wheels", () => {
    const sizes = manifestOf(form).layers.map(({ size }) => size);
    const wheels = WHEELS.reduce((sum, wheel) => sum + testWheel(wheel).size, 0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(wheels * (form === "estargz" ? 1.1 : 1.06));
  });
});

describe("Tare", () => {
  it.skipIf(missing !== undefined).each(FORMS)("pulls %s", async (form) => {
    const other = openProgramWorld(`pull-${form.replace(":", "-")}`);
    try {
      other.ok("pull", "-q", name(form));
      const context = other.files("context", { Dockerfile: `FROM ${name(form)}\n` });
      const flat = join(other.folder, "flat.tar");
      other.ok("build", "-q", "-o", `type=tar,dest=${flat}`, context);
      expectSame(await readTarTree(flat));
    } finally {
      other.close();
    }
  });
});

describe.skipIf(!has("skopeo", "umoci"))("skopeo and umoci", () => {
  it.each(FORMS)("copy and unpack %s", (form) => {
    const layout = join(world.folder, `layout-${form.replace(":", "-")}`);
    run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", `docker://${name(form)}`, `oci:${layout}:1`);
    const bundle = join(world.folder, `umoci-${form}`);
    run("umoci", "unpack", "--image", `${layout}:1`, bundle);
    expectSame(readTree(folderTree(join(bundle, "rootfs"))));
    fs.rmSync(bundle, { recursive: true });
  }); // prettier-ignore

  it.each(FORMS)("copy what `build -o type=oci,compression=%s` writes", (form) => {
    const path = join(world.folder, "out.tar");
    const output = `type=oci,dest=${path},compression=${form}`;
    world.ok("build", "-q", "--bytecode", "none", "-t", "out:1", "-o", output, join(world.folder, "project"));
    const layout = join(world.folder, `out-${form.replace(":", "-")}`);
    run("skopeo", "--insecure-policy", "copy", "-q", `oci-archive:${path}`, `oci:${layout}:1`);
    const bundle = join(world.folder, `umoci-out-${form}`);
    run("umoci", "unpack", "--image", `${layout}:1`, bundle);
    expectSame(readTree(folderTree(join(bundle, "rootfs"))));
    fs.rmSync(bundle, { recursive: true });
  });
});

describe.skipIf(!has("podman"))("podman", () => {
  const podman = (...args: string[]): string => {
    const storage = ["--root", folder("podman"), "--runroot", folder("podman-run"), "--storage-driver", "vfs"];
    return run("podman", ...storage, ...args);
  };
  const check = async (image: string): Promise<void> => {
    const flat = join(world.folder, "podman.tar");
    const id = podman("create", "--network", "none", image, "/none").trim();
    podman("export", "-o", flat, id);
    podman("rm", "-f", id);
    podman("rmi", "-f", image);
    expectEngine(await readTarTree(flat));
  };

  it.each(FORMS)("pulls %s", async (form) => {
    podman("pull", "-q", "--tls-verify=false", name(form));
    await check(name(form));
  });

  it.each(FORMS)("loads what `save --compression %s` writes", async (form) => {
    const path = join(world.folder, "podman-load.tar");
    world.ok("save", "--compression", form, "-o", path, "spliced");
    podman("load", "-q", "-i", path);
    await check("docker.io/library/spliced:latest");
  });
});

/** An engine adds mount points and files of its own to a container. */
function expectEngine(found: TreeFacts): void {
  const own = /^(?:dev|proc|sys|run|etc)(?:\/|$)|^\.dockerenv$/;
  const known = (path: string): boolean => own.test(path) && !expected.has(path);
  const differs = compareFacts(expected, found, (path) => isTable(path) || known(path));
  expect(differs.filter((line) => !/^~etc(?:\/(?:hosts|hostname|resolv\.conf))?: /.test(line))).toEqual([]);
}

const noDocker = missing ?? whyNoDocker();
if (noDocker !== undefined) console.log(`skipped: dockerd: ${noDocker}`);

describe.skipIf(noDocker !== undefined)("dockerd", () => {
  let peer: DockerPeer;
  let inner: RegistryPeer;
  beforeAll(async () => {
    peer = await startDocker(folder("docker"));
    const pid = Number(fs.readFileSync(join(world.folder, "docker/pid"), "utf8"));
    // The engine has a network of its own: a second registry serves the same storage there.
    run("nsenter", "-t", String(pid), "-n", "ip", "link", "set", "lo", "up");
    const { storage, port } = registry;
    inner = await startRegistry(folder("inner"), { storage, port, namespaceOf: pid });
  });
  afterAll(async () => {
    await inner.stop();
    await peer.stop();
  });
  const check = async (image: string): Promise<void> => {
    const flat = join(world.folder, "docker.tar");
    const id = peer.docker(["create", image, "/none"]).trim();
    peer.docker(["export", "-o", flat, id]);
    peer.docker(["rm", "-f", id]);
    peer.docker(["rmi", "-f", image]);
    expectEngine(await readTarTree(flat));
  };

  it.each(FORMS)("pulls %s", async (form) => {
    peer.docker(["pull", "-q", name(form)]);
    await check(name(form));
  });

  it.each(FORMS)("loads what `save --compression %s` writes", async (form) => {
    const path = join(world.folder, "docker-load.tar");
    world.ok("save", "--compression", form, "-o", path, "spliced");
    peer.docker(["load", "-q", "-i", path]);
    await check("spliced:latest");
  });
});

describe.skipIf(!has("containerd", "ctr"))("containerd", () => {
  let daemon: ChildProcess;
  const ctr = (...args: string[]): string =>
    run("ctr", "-a", join(world.folder, "c.sock"), "-n", "tare", ...args);
  beforeAll(async () => {
    const config = join(world.folder, "containerd.toml");
    fs.writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const data = ["--root", folder("containerd"), "--state", folder("containerd-state")];
    const args = ["-c", config, "-a", join(world.folder, "c.sock"), ...data];
    daemon = spawn("unshare", ["--net", "--kill-child", "--fork", "containerd", ...args], { stdio: "ignore" });
    for (let tries = 0; tries < 100; tries += 1) {
      if (spawnSync("ctr", ["-a", join(world.folder, "c.sock"), "version"]).status === 0) return;
      await sleep(200);
    }
    throw new Error("containerd did not start");
  });
  afterAll(() => void daemon.kill("SIGKILL"));

  it.each(FORMS)("pulls and mounts %s", (form) => {
    ctr("images", "pull", "--plain-http", "--snapshotter", "native", name(form));
    const place = folder(`mount-${form.replace(":", "-")}`);
    ctr("images", "mount", "--snapshotter", "native", name(form), place);
    try {
      expectSame(readTree(folderTree(place)));
    } finally {
      ctr("images", "unmount", "--rm", place);
      // Otherwise the next form's layers, which have the same diffIDs, would not be unpacked.
      ctr("images", "rm", "--sync", name(form));
    }
  });
}); // prettier-ignore
