// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { buildSpec } from "../runtime/index.ts";
import type { SpecInput } from "../runtime/index.ts";
import { securityReport } from "./security-report.ts";
import type { ReportInput, SecurityReport } from "./security-report.ts";
import type { MountPoint } from "./types.ts";

function bind(source: string, readOnly = false): MountPoint {
  return { type: "bind", source, destination: "/x", readOnly, propagation: "rprivate", recursive: true, options: [] };
}

function report(spec: Partial<SpecInput> = {}, more: Partial<ReportInput> = {}): SecurityReport {
  const input: SpecInput = {
    mode: "run",
    args: ["true"],
    env: [],
    cwd: "/",
    user: { uid: 1000, gid: 1000 },
    rootfs: "/",
    network: "none",
    cgroupMode: "v2",
    cgroupsPath: "/x",
    ...spec,
  };
  return securityReport({
    name: "box",
    kind: "container",
    spec: buildSpec(input),
    privileged: spec.privileged === true,
    seccomp: "default",
    mounts: [],
    ports: [],
    limits: { memory: 1 << 30, pids: 100, cpus: undefined },
    uidMap: [],
    isRootless: false,
    ...more,
  });
}

describe("a security report", () => {
  it("has nothing to remark on a user without rights", () => {
    expect(report({ capabilities: { drop: ["ALL"] } }).findings).toEqual([]);
  });

  it.each<{ name: string; spec?: Partial<SpecInput>; more?: Partial<ReportInput>; danger: string; says: string }>([
    { name: "privileged", spec: { privileged: true }, danger: "critical", says: "privileged" },
    {
      name: "an engine's socket",
      more: { mounts: [bind("/var/run/docker.sock")] },
      danger: "critical",
      says: "socket",
    },
    { name: "the host's root", more: { mounts: [bind("/")] }, danger: "critical", says: "change the host" },
    { name: "/etc to read", more: { mounts: [bind("/etc", true)] }, danger: "high", says: "reads the host" },
    { name: "a project", more: { mounts: [bind("/home/ann/p")] }, danger: "low", says: "/home/ann/p" },
    { name: "the host's processes", spec: { pid: "host" }, danger: "high", says: "process namespace" },
    { name: "the host's network", spec: { network: "host" }, danger: "medium", says: "network namespace" },
    {
      name: "a strong capability",
      spec: { capabilities: { add: ["SYS_ADMIN"] } },
      danger: "critical",
      says: "SYS_ADMIN",
    },
    { name: "no seccomp", more: { seccomp: "none" }, danger: "high", says: "filter" },
    { name: "open system paths", spec: { systemPathsUnconfined: true }, danger: "medium", says: "masked" },
    { name: "new privileges", spec: { noNewPrivileges: false }, danger: "medium", says: "gain privileges" },
    {
      name: "a disk",
      spec: { devices: [{ path: "/dev/sda", type: "b", major: 8, minor: 0 }] },
      danger: "critical",
      says: "/dev/sda",
    },
    { name: "root", spec: { user: { uid: 0, gid: 0 } }, danger: "medium", says: "runs as root" },
    { name: "an open port", more: { ports: ["0.0.0.0:80->80/tcp"] }, danger: "medium", says: "all addresses" },
    { name: "no limits", more: { limits: { memory: undefined, pids: 1, cpus: 1 } }, danger: "low", says: "memory" },
  ])("remarks $name", ({ spec, more, danger, says }) => {
    const [worst] = report(spec, more).findings;
    expect(worst?.danger).toBe(danger);
    expect(`${worst?.what ?? ""}: ${worst?.why ?? ""}`).toContain(says);
    expect(worst?.fix).not.toBe("");
  });

  it.each([
    ["/etc/localtime", true],
    ["/run/user/1000/bus", false],
  ])("does not make much of %s", (source, readOnly) => {
    expect(report({}, { mounts: [bind(source, readOnly)] }).findings.every(({ danger }) => danger === "low")).toBe(
      true,
    );
  });

  it("puts the most dangerous first", () => {
    const mounts = [bind("/home/a"), bind("/var/run/docker.sock"), bind("/etc", true)];
    const dangers = report({ user: { uid: 0, gid: 0 }, pid: "host" }, { mounts }).findings.map(({ danger }) => danger);
    const order = ["critical", "high", "medium", "low"];
    expect(dangers).toEqual(dangers.toSorted((left, right) => order.indexOf(left) - order.indexOf(right)));
    expect(dangers[0]).toBe("critical");
  });

  it("says who it is on the host, and nothing critical of an ordinary user's", () => {
    const uidMap = [
      { inside: 0, outside: 1001, count: 1 },
      { inside: 1, outside: 100_000, count: 65_536 },
    ];
    const own = report({ privileged: true, user: { uid: 1000, gid: 0 } }, { uidMap, isRootless: true });
    expect(own.user.hostUid).toBe(100_999);
    expect(own.findings.map(({ danger }) => danger)).not.toContain("critical");
    expect(report({ user: { uid: 0, gid: 0 } }, { uidMap, isRootless: true }).user.hostUid).toBe(1001);
  });
});
