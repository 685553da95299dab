// SPDX-License-Identifier: Apache-2.0
/* For tests with a real runtime: a store with a busybox image made by hand, and programs that act as other commands. */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTree } from "../../src/archive/index.ts";
import { digestOf } from "../../src/base/index.ts";
import type { Digest } from "../../src/base/index.ts";
import { containerContext, ownMountNamespace } from "../../src/containers/index.ts";
import type { ContainerImage, ContainersContext, ImageDefaults } from "../../src/containers/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

const APPLETS = "sh true false echo ls id env sleep cat head wc hostname mount touch kill pwd grep seq stat".split(" ");

/** Why these tests can't run here; undefined when they can. */
export function whyNotHere(): string | undefined {
  if (process.getuid?.() !== 0) return "containers with a real runtime need root here";
  if (!fs.existsSync("/bin/busybox")) return "/bin/busybox (package busybox-static) is missing";
  const missing = ["conmon", "runc"].find((name) => !hasProgram(name));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

function hasProgram(name: string): boolean {
  return ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin", "/sbin"].some((folder) =>
    fs.existsSync(join(folder, name)),
  );
}

/** A store with one image. */
export interface World {
  readonly root: string;
  readonly store: Store;
  readonly context: ContainersContext;
  /** The image with other defaults. */
  image(defaults?: ImageDefaults): ContainerImage;
  close(): void;
}

/** Makes the store and the image. */
export async function makeWorld(): Promise<World> {
  const root = fs.mkdtempSync(join(tmpdir(), "tare-run-"));
  const store = openStore({ root, sync: "none" });
  const diffId = await busyboxLayer(store);
  return {
    root,
    store,
    context: openContext(store, root),
    image: (defaults = { Cmd: ["sh"], Env: ["PATH=/bin"] }) => imageOf(diffId, defaults),
    close: () => {
      store.close();
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A context whose conmon calls `container-child.ts cleanup`. */
export function openContext(store: Store, root: string): ContainersContext {
  const child = join(import.meta.dirname, "container-child.ts");
  return containerContext({
    store,
    exitCommand: [process.execPath, child, "cleanup", root],
    restartCommand: [process.execPath, child, "restart", root],
    healthCommand: [],
    mountNamespace: ownMountNamespace(),
  });
}

/** The image made of one layer. */
export function imageOf(diffId: Digest, defaults: ImageDefaults): ContainerImage {
  return { reference: "busybox", id: digestOf("config"), target: digestOf("manifest"), diffIds: [diffId], defaults };
}

async function busyboxLayer(store: Store): Promise<Digest> {
  const staging = store.layers.stage();
  const at = (path: string): string => join(staging.tree, path);
  for (const folder of ["bin", "etc", "proc", "sys", "dev", "tmp", "root", "data"]) fs.mkdirSync(at(folder));
  fs.copyFileSync("/bin/busybox", at("bin/busybox"));
  fs.chmodSync(at("bin/busybox"), 0o755);
  for (const name of APPLETS) fs.symlinkSync("busybox", at(`bin/${name}`));
  fs.writeFileSync(at("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/data:/bin/sh\n");
  fs.writeFileSync(at("etc/group"), "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
  fs.writeFileSync(at("data/file"), "from the image\n");
  const { diffId, size, contentSize, entries } = await packTree(staging.tree, undefined);
  const facts = { diffId, size, contentSize, entries, opaque: [], whiteouts: 0, hasXattrs: false };
  return staging.commit(facts).diffId;
}

/** What is left of containers on this host: control groups, processes, mounts that name the given folder or id. */
export function leftovers(root: string, ids: readonly string[]): readonly string[] {
  const mounts = fs
    .readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(root));
  // Others may make and remove groups meanwhile, which find reports by its exit code.
  const groups = spawnSync("find", ["/sys/fs/cgroup", "-maxdepth", "4", "-type", "d", "-path", "*/tare/*"], {
    encoding: "utf8",
  }).stdout.split("\n");
  const processes = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
  const ours = (line: string): boolean => ids.some((id) => line.includes(id)) || line.includes(root);
  return [...mounts, ...groups.filter(ours), ...processes.filter((line) => ours(line) && !line.includes("ps -eo"))];
}
