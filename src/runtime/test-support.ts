// SPDX-License-Identifier: Apache-2.0
// For this area's tests: a store of one busybox layer and containers in it.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupMode } from "./cgroup.ts";
import { findRuntime, locate } from "./find.ts";
import type { OciRuntime } from "./find.ts";
import { hostCapabilities } from "./host.ts";
import { buildSpec } from "./spec.ts";
import type { SpecInput } from "./spec.ts";
import type { ContainerTask } from "./task.ts";

const APPLETS =
  "sh true false cat id ls sleep env mount grep echo kill mkdir touch head mknod chmod hostname stty wc ps";

/** Why containers can't be started here, or undefined. */
export function whyNoContainers(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  if (locate("runc") === undefined && locate("crun") === undefined) return "neither runc nor crun is installed";
  return busybox() === undefined ? "busybox-static is not installed" : undefined;
}

/** A throw-away store with two layers at `l/base` and `l/extra`; `close` deletes it. */
export interface TestStore {
  readonly root: string;
  readonly runtime: OciRuntime;
  readonly stateRoot: string;
  close(): void;
}

/** Makes the store and finds the runtime. */
export async function openTestStore(): Promise<TestStore> {
  const root = mkdtempSync(join(tmpdir(), "tare-runtime-test-"));
  const base = join(root, "layers/base");
  for (const folder of ["bin", "proc", "sys", "dev", "etc", "tmp"]) mkdirSync(join(base, folder), { recursive: true });
  copyFileSync(busybox() ?? "", join(base, "bin/busybox"));
  for (const applet of APPLETS.split(" ")) symlinkSync("busybox", join(base, "bin", applet));
  writeFileSync(join(base, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n");
  writeFileSync(join(base, "not-executable"), "x");
  writeFileSync(join(base, "no-interpreter"), "#!/nowhere/sh\n", { mode: 0o755 });
  writeFileSync(join(base, "garbage"), "junk", { mode: 0o755 });
  mkdirSync(join(root, "layers/extra/data"), { recursive: true });
  writeFileSync(join(root, "layers/extra/data/file"), "from the upper layer\n");
  mkdirSync(join(root, "l"));
  symlinkSync("../layers/base", join(root, "l/base"));
  symlinkSync("../layers/extra", join(root, "l/extra"));
  const runtime = await findRuntime({ runRoot: join(root, "run") });
  const close = (): void => rmSync(root, { recursive: true, force: true });
  return { root, runtime, stateRoot: join(root, "state"), close };
}

let counter = 0;

/** A container of the store's layers with a writable layer, ready to be started. */
export function testTask(store: TestStore, args: readonly string[], input: Partial<SpecInput> = {}): ContainerTask {
  counter += 1;
  const id = `tare-test-${process.pid}-${counter}`;
  const bundle = join(store.root, `bundle-${counter}`);
  for (const folder of ["rootfs", "upper", "work"]) mkdirSync(join(bundle, folder), { recursive: true });
  const target = join(bundle, "rootfs");
  const spec = buildSpec({
    mode: "run",
    args,
    env: ["PATH=/bin", "HOME=/"],
    cwd: "/",
    user: { uid: 0, gid: 0 },
    rootfs: target,
    network: "none",
    cgroupMode: cgroupMode(),
    cgroupsPath: `/tare/${id}`,
    knownCapabilities: hostCapabilities(),
    ...input,
  });
  const overlays = [{ target, lower: ["l/extra", "l/base"], upper: join(bundle, "upper"), work: join(bundle, "work") }];
  return { runtime: store.runtime, id, bundle, storeRoot: store.root, overlays, spec, stateRoot: store.stateRoot };
}

function busybox(): string | undefined {
  const path = locate("busybox");
  return path !== undefined && existsSync(path) ? path : undefined;
}
