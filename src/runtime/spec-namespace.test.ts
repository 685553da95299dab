// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { buildSpec } from "./spec.ts";
import type { SpecInput } from "./spec.ts";
import type { NamespaceLimits } from "./spec-namespace.ts";

const LENT = [
  { inside: 0, outside: 1000, count: 1 },
  { inside: 1, outside: 100_000, count: 65_536 },
];
const ids = (highest: number, rows: NamespaceLimits["uids"]): Omit<NamespaceLimits, "hasCgroups" | "oomScoreAdj"> => ({
  highestUid: highest,
  highestGid: highest,
  uids: rows,
  gids: rows,
});
const FULL: NamespaceLimits = { ...ids(65_536, LENT), hasCgroups: false, oomScoreAdj: 0 };
const SINGLE: NamespaceLimits = { ...ids(0, LENT.slice(0, 1)), hasCgroups: false, oomScoreAdj: 100 };

function build(more: Partial<SpecInput>): ReturnType<typeof buildSpec> {
  return buildSpec({
    mode: "run",
    args: ["true"],
    env: [],
    cwd: "/",
    user: { uid: 0, gid: 0 },
    rootfs: "/r",
    network: "host",
    cgroupMode: "v2",
    cgroupsPath: "/tare/x",
    namespace: FULL,
    ...more,
  });
}

function mountAt(spec: ReturnType<typeof buildSpec>, destination: string): unknown {
  return spec.mounts.find((mount) => mount.destination === destination);
}

describe("a configuration for a user namespace", () => {
  it("binds the host's /sys where the network is the host's, and hides its control groups", () => {
    const spec = build({});
    expect(mountAt(spec, "/sys")).toMatchObject({
      type: "bind",
      source: "/sys",
      options: expect.arrayContaining(["ro"]),
    });
    expect(mountAt(spec, "/sys/fs/cgroup")).toMatchObject({ type: "tmpfs", options: expect.arrayContaining(["ro"]) });
  });

  it("mounts a /sys of its own with a network of its own, and no control groups", () => {
    const spec = build({ network: "none" });
    expect(mountAt(spec, "/sys")).toMatchObject({ type: "sysfs" });
    expect(mountAt(spec, "/sys/fs/cgroup")).toBeUndefined();
    expect(spec.linux.sysctl).toMatchObject({ "net.ipv4.ping_group_range": "0 65536" });
  });

  it("leaves control groups to the host that delegates them", () => {
    expect(build({}).linux.cgroupsPath).toBeUndefined();
    expect(build({ namespace: { ...FULL, hasCgroups: true } }).linux.cgroupsPath).toBe("/tare/x");
  });

  it("names no group that is not there", () => {
    const spec = build({ namespace: SINGLE, user: { uid: 0, gid: 0, additionalGids: [0, 5] }, oomScoreAdj: -500 });
    expect(JSON.stringify(mountAt(spec, "/dev/pts"))).not.toContain("gid=");
    expect(spec.process.user.additionalGids).toBeUndefined();
    expect(spec.process.oomScoreAdj).toBe(100);
    const some = build({ user: { uid: 5, gid: 5, additionalGids: [5, 70_000] } });
    expect(some.process.user.additionalGids).toEqual([5]);
  });

  it.each([
    { name: "a user beyond the lent ids", more: { user: { uid: 70_000, gid: 0 } }, code: "E_UID" },
    {
      name: "any user but oneself without lent ids",
      more: { namespace: SINGLE, user: { uid: 1, gid: 0 } },
      code: "E_UID",
    },
    { name: "a limit that nothing enforces", more: { resources: { memory: 1 << 28 } }, code: "E_UNSUPPORTED" },
  ])("refuses $name", ({ more, code }) => {
    expect(() => build(more)).toThrow(expect.objectContaining({ code, exitCode: 125 }));
  });
});
