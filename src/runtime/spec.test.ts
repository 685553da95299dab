// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import AjvModule from "ajv-draft-04";
import { describe, expect, it } from "vitest";
import { resolveCapabilities } from "./capabilities.ts";
import { buildProcess, buildSpec } from "./spec.ts";
import type { SpecInput } from "./spec.ts";
import { specText } from "./task.ts";

const schemas = join(process.env["TARE_CONFORMANCE"] ?? "../shared/conformance", "runtime-spec");
const hasSchemas = existsSync(schemas);
if (!hasSchemas) console.log(`skipped: config.json against its schema: ${schemas} is not here`);

const PLAIN: SpecInput = {
  mode: "run",
  args: ["true"],
  env: ["PATH=/bin"],
  cwd: "/",
  user: { uid: 0, gid: 0 },
  rootfs: "/rootfs",
  network: "none",
  cgroupMode: "v2",
  cgroupsPath: "/tare/x",
  arch: "amd64",
};

const SPECS: readonly (readonly [name: string, input: Partial<SpecInput>])[] = [
  ["plain", {}],
  ["build step", { mode: "build", network: "host", cgroupMode: "hybrid" }],
  ["arm64", { arch: "arm64" }],
  ["privileged", { privileged: true, pid: "host", ipc: "host", uts: "host", network: "host" }],
  ["unconfined", { seccomp: "unconfined", systemPathsUnconfined: true, noNewPrivileges: false }],
  [
    "joined namespaces",
    { network: { path: "/proc/1/ns/net" }, pid: { path: "/proc/1/ns/pid" }, cgroupNamespace: "host" },
  ],
  [
    "limits",
    {
      resources: {
        memory: 64 << 20,
        nanoCpus: 1_500_000_000,
        cpusetCpus: "0-1",
        pidsLimit: 10,
        cpuShares: 512,
        memorySwappiness: 5,
        cpuRealtimePeriod: 1_000_000,
        cpuRealtimeRuntime: 950_000,
        blkioWeight: 300,
        weightDevices: [{ major: 8, minor: 0, value: 200 }],
        readBpsDevices: [{ major: 8, minor: 0, value: 1 << 20 }],
        writeIopsDevices: [{ major: 8, minor: 16, value: 100 }],
      },
      rlimits: [{ name: "nofile", soft: 1024, hard: 4096 }],
      oomScoreAdj: 100,
      sysctls: { "net.core.somaxconn": "128", "kernel.shmmax": "1000" },
    },
  ],
  [
    "mounts and devices",
    {
      mounts: [
        { destination: "/data", type: "bind", source: "/srv", options: ["ro", "z"] },
        { destination: "/scratch", type: "tmpfs", options: ["size=64m", "mode=1777", "exec"] },
      ],
      devices: [{ path: "/dev/fuse", type: "c", major: 10, minor: 229, access: "rw" }],
      deviceCgroupRules: ["c 195:* rwm"],
      init: "/usr/bin/tini-static",
      hostname: "box",
      terminal: true,
      consoleSize: { height: 24, width: 80 },
      annotations: { "x.y": "z" },
      shmSize: 1 << 20,
    },
  ],
];

describe("config.json", () => {
  it.skipIf(!hasSchemas).each(SPECS)("is valid by the specification's schema: %s", (_, input) => {
    const validate = compile("config-schema.json");
    const valid = validate(JSON.parse(JSON.stringify(buildSpec({ ...PLAIN, ...input }))));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it("is confined by default", () => {
    const { process, linux, mounts } = buildSpec(PLAIN);
    expect(process.capabilities.bounding).toHaveLength(8);
    expect(process.capabilities).toMatchObject({ inheritable: [], ambient: [] });
    expect(process.noNewPrivileges).toBe(true);
    expect(linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(linux.namespaces.map(({ type }) => type).sort()).toEqual([
      "cgroup",
      "ipc",
      "mount",
      "network",
      "pid",
      "uts",
    ]);
    expect(linux.resources.devices?.[0]).toEqual({ allow: false, access: "rwm" });
    expect(mounts.find(({ destination }) => destination === "/sys")?.options).toContain("ro");
    expect(linux.maskedPaths).toContain("/proc/kcore");
  });

  it("gives a user other than root no capabilities in force", () => {
    const { capabilities } = buildProcess({ ...PLAIN, user: { uid: 1, gid: 1 } }, PLAIN);
    expect(capabilities).toMatchObject({ effective: [], permitted: [] });
    expect(capabilities.bounding).toHaveLength(8);
  });

  it.each([
    ["a relative directory", { cwd: "work" }, "E_CWD"],
    ["a directory below /proc", { cwd: "/proc/self/fd/7" }, "E_CWD"],
    ["a hidden way to /proc", { cwd: "/x/../proc/self/fd/8/../.." }, "E_CWD"],
    ["no command", { args: [] }, "E_NO_COMMAND"],
    ["a malformed environment", { env: ["=x"] }, "E_USAGE"],
    ["a mount over /proc", { mounts: [{ destination: "/proc", type: "tmpfs" }] }, "E_MOUNT"],
    ["a mount below /proc by ..", { mounts: [{ destination: "/x/../proc/sys", type: "tmpfs" }] }, "E_MOUNT"],
    ["a mount over the root", { mounts: [{ destination: "/", type: "bind", source: "/" }] }, "E_MOUNT"],
    ["a relative source", { mounts: [{ destination: "/a", type: "bind", source: "a" }] }, "E_MOUNT"],
    [
      "an unknown option",
      { mounts: [{ destination: "/a", type: "bind", source: "/a", options: ["idmap,x"] }] },
      "E_MOUNT",
    ],
    ["an unknown tmpfs option", { mounts: [{ destination: "/a", type: "tmpfs", options: ["size=1,x"] }] }, "E_MOUNT"],
    [
      "two mounts at one place",
      {
        mounts: [
          { destination: "/a", type: "tmpfs" },
          { destination: "/a/", type: "tmpfs" },
        ],
      },
      "E_MOUNT",
    ],
    ["an unknown capability", { capabilities: { add: ["SYS_ADMN"] } }, "E_USAGE"],
    ["a sysctl of the host", { sysctls: { "kernel.core_pattern": "x" } }, "E_USAGE"],
    ["a smuggled sysctl", { sysctls: { "kernel.shm_rmid_forced": "1+kernel.core_pattern=x" } }, "E_USAGE"],
    ["a network sysctl on the host's network", { network: "host", sysctls: { "net.core.somaxconn": "1" } }, "E_USAGE"],
    ["too little memory", { resources: { memory: 4096 } }, "E_USAGE"],
    ["swap below memory", { resources: { memory: 64 << 20, memorySwap: 32 << 20 } }, "E_USAGE"],
    ["a malformed processor set", { resources: { cpusetCpus: "0-" } }, "E_USAGE"],
    ["an unknown ulimit", { rlimits: [{ name: "x", soft: 1, hard: 1 }] }, "E_USAGE"],
    ["a malformed device rule", { deviceCgroupRules: ["c 1:3"] }, "E_USAGE"],
    ["a malformed seccomp profile", { seccomp: { x: 1 } }, "E_USAGE"],
  ] as const)("refuses %s", (_, input, code) => {
    expect(() => buildSpec({ ...PLAIN, ...input } as SpecInput)).toThrow(
      expect.objectContaining({ code, exitCode: 125 }),
    );
  });

  it("writes no limit as 2^64-1", () => {
    const text = specText(
      buildSpec({ ...PLAIN, rlimits: [{ name: "core", soft: 0, hard: -1 }], env: ['A="hard":"@unlimited@"'] }),
    );
    expect(text).toContain('"soft":0,"hard":18446744073709551615');
    expect(text).toContain(String.raw`\"hard\":\"@unlimited@\"`);
  });

  it("puts the user's mounts over the defaults, parents first", () => {
    const { mounts } = buildSpec({
      ...PLAIN,
      mounts: [
        { destination: "/a/b/", type: "tmpfs" },
        { destination: "/a", type: "bind", source: "/x" },
        { destination: "/dev/shm", type: "tmpfs", options: ["size=1g"] },
      ],
    });
    const targets = mounts.map(({ destination }) => destination);
    expect(targets.indexOf("/a")).toBeLessThan(targets.indexOf("/a/b"));
    expect(mounts.filter(({ destination }) => destination === "/dev/shm")).toEqual([
      { destination: "/dev/shm", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "nodev", "size=1g"] },
    ]);
  });
});

describe("capabilities", () => {
  it.each([
    [{ drop: ["ALL"] }, []],
    [{ drop: ["all"], add: ["CAP_kill"] }, ["CAP_KILL"]],
    [{ drop: ["CHOWN"], add: ["net_admin"] }, ["CAP_KILL", "CAP_NET_ADMIN"]],
  ])("combine as in Docker: %j", (change, expected) => {
    expect(resolveCapabilities(["CHOWN", "KILL"], change)).toEqual(expected);
  });

  it("ALL is all, less what is dropped", () => {
    const all = resolveCapabilities([], { add: ["ALL"], drop: ["SYS_ADMIN"] });
    expect(all).toHaveLength(40);
    expect(all).not.toContain("CAP_SYS_ADMIN");
  });
});

function compile(name: string): ReturnType<InstanceType<typeof AjvModule.default>["compile"]> {
  const ajv = new AjvModule.default({ strict: false, validateFormats: false });
  for (const file of readdirSync(schemas)) {
    const schema: Record<string, unknown> = JSON.parse(readFileSync(join(schemas, file), "utf8"));
    if (file !== name) ajv.addSchema(schema, file);
  }
  // The set has no schemas for other systems; their parts are absent from ours.
  for (const system of ["solaris", "windows", "vm", "zos", "freebsd"]) {
    const file = `config-${system}.json`;
    if (!existsSync(join(schemas, file))) ajv.addSchema({ [system]: { not: {} } }, file);
  }
  return ajv.compile(JSON.parse(readFileSync(join(schemas, name), "utf8")));
}
