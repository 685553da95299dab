// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireNetDevices } from "./net-devices.ts";
import { buildSpec } from "./spec.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tare-features-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PLAIN = buildSpec({
  mode: "run",
  args: ["true"],
  env: [],
  cwd: "/",
  user: { uid: 0, gid: 0 },
  rootfs: "/rootfs",
  network: "none",
  cgroupMode: "v2",
  cgroupsPath: "/tare/x",
  arch: "amd64",
});
const MOVING = { ...PLAIN, linux: { ...PLAIN.linux, netDevices: { eno1: { name: "net0" } } } };

/** A runtime that answers `features` so. */
function runtime(answer: string): { readonly name: "runc"; readonly path: string; readonly version: string } {
  const path = join(folder, `runtime-${answer.length}`);
  writeFileSync(path, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
  return { name: "runc", path, version: "1.1.5" };
}

describe("network interfaces that move into a container", () => {
  it("need a runtime that says it moves them", async () => {
    const able = runtime(`echo '{"linux":{"netDevices":{"enabled":true}}}'`);
    await expect(requireNetDevices({ runtime: able, spec: MOVING })).resolves.toBeUndefined();
  });

  it.each([
    ["an older one", `echo '{"linux":{}}'`],
    ["one that has no such command", "exit 1"],
    ["one that prints something else", "echo features"],
  ])("are refused with %s", async (_name, answer) => {
    await expect(requireNetDevices({ runtime: runtime(answer), spec: MOVING })).rejects.toThrow(
      "giving the network interface eno1 to the container: runc 1.1.5 can't move interfaces",
    );
  });

  it("are not asked about without any", async () => {
    await expect(requireNetDevices({ runtime: runtime("exit 9"), spec: PLAIN })).resolves.toBeUndefined();
  });
});
