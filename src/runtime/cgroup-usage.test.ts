// SPDX-License-Identifier: Apache-2.0
import { totalmem } from "node:os";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cgroupFolders, cgroupUsage } from "./cgroup-usage.ts";
import type { CgroupFolders } from "./cgroup-usage.ts";

const ID = "4f1d".repeat(16);
const V2_MOUNTS = "25 24 0:22 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
const HYBRID_MOUNTS = [
  "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755",
  "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
  "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
  "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
].join("\n");

describe("the folders of a control group", () => {
  const cases: Readonly<
    Record<string, readonly [cgroups: string, mounts: string, v1: object, v2: string | undefined]>
  > = {
    v2: [`0::/tare/${ID}\n`, V2_MOUNTS, {}, `/sys/fs/cgroup/tare/${ID}`],
    "a group that the container made below": [
      `0::/tare/${ID}/init.scope\n`,
      V2_MOUNTS,
      {},
      `/sys/fs/cgroup/tare/${ID}`,
    ],
    "systemd's name": [`0::/a.slice/tare-${ID}.scope/x\n`, V2_MOUNTS, {}, `/sys/fs/cgroup/a.slice/tare-${ID}.scope`],
    hybrid: [
      `7:cpu,cpuacct:/tare/${ID}\n4:memory:/tare/${ID}\n0::/tare/${ID}\n`,
      HYBRID_MOUNTS,
      {
        cpu: `/sys/fs/cgroup/cpu,cpuacct/tare/${ID}`,
        cpuacct: `/sys/fs/cgroup/cpu,cpuacct/tare/${ID}`,
        memory: `/sys/fs/cgroup/memory/tare/${ID}`,
      },
      `/sys/fs/cgroup/unified/tare/${ID}`,
    ],
    "a part of the hierarchy is mounted": [
      `0::/docker/host/tare/${ID}\n`,
      V2_MOUNTS.replace(" / ", " /docker/host "),
      {},
      `/sys/fs/cgroup/tare/${ID}`,
    ],
    "another part is mounted": [`0::/tare/${ID}\n`, V2_MOUNTS.replace(" / ", " /docker/host "), {}, undefined],
    "a group of all that a user runs": ["0::/user.slice/user-1000.slice\n", V2_MOUNTS, {}, undefined],
    "not mounted": [`4:memory:/tare/${ID}\n`, V2_MOUNTS, {}, undefined],
    "a process that is gone": ["", HYBRID_MOUNTS, {}, undefined],
  };
  it.each(Object.entries(cases))("%s", (_name, [cgroups, mounts, v1, v2]) => {
    const found = cgroupFolders(cgroups, mounts, ID);
    expect(Object.fromEntries(found.v1)).toEqual(v1);
    expect(found.v2).toBe(v2);
  });
});

/** As recorded on hosts of the three kinds; the device numbers are those of a disk and its mapper. */
const V2_FILES = {
  "/g/cpu.stat": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 0\n",
  "/g/memory.current": "10485760\n",
  "/g/memory.stat": "anon 4194304\nfile 6291456\ninactive_anon 0\ninactive_file 2097152\n",
  "/g/memory.max": "max\n",
  "/g/pids.current": "7\n",
  "/g/io.stat":
    "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n253:0 rbytes=100 wbytes=1 rios=1 wios=1\n7:0 \n",
};
const V1_FILES = {
  "/c/cpuacct.usage": "2500000000\n",
  "/m/memory.usage_in_bytes": "10485760\n",
  "/m/memory.stat": "cache 1\ninactive_file 1\ntotal_inactive_file 2097152\n",
  "/m/memory.limit_in_bytes": "9223372036854771712\n",
  "/p/pids.current": "7\n",
  "/b/blkio.throttle.io_service_bytes_recursive":
    "8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 12288\n253:0 Read 100\n253:0 Write 1\nTotal 12389\n",
};
const V1: CgroupFolders = {
  v1: new Map([
    ["cpuacct", "/c"],
    ["memory", "/m"],
    ["pids", "/p"],
    ["blkio", "/b"],
  ]),
  v2: undefined,
};
const V2: CgroupFolders = { v1: new Map(), v2: "/g" };
const FULL = {
  cpuNanoseconds: 2_500_000_000,
  memory: 8_388_608,
  memoryLimit: totalmem(),
  pids: 7,
  blockRead: 4196,
  blockWritten: 8193,
};

describe("the use of a control group", () => {
  const read = (files: Readonly<Record<string, string>>) => (path: string) => files[path];

  it.each([
    ["v2", V2, V2_FILES, FULL],
    ["v1", V1, V1_FILES, FULL],
    ["hybrid", { v1: new Map([["memory", "/m"]]), v2: "/g" }, { ...V2_FILES, ...V1_FILES }, FULL],
    ["a limit", V2, { ...V2_FILES, "/g/memory.max": "4096\n" }, { ...FULL, memoryLimit: 4096 }],
    ["more cache than use", V2, { ...V2_FILES, "/g/memory.current": "5\n" }, { ...FULL, memory: 5 }],
    [
      "no disk was used",
      V1,
      { ...V1_FILES, "/b/blkio.throttle.io_service_bytes_recursive": "", "/b/cgroup.procs": "1\n" },
      { ...FULL, blockRead: 0, blockWritten: 0 },
    ],
    ["no memory controller", V2, { "/g/cpu.stat": "usage_usec 1\n" }, { cpuNanoseconds: 1000 }],
    ["a group that is gone", V2, {}, undefined],
    ["malformed files", V2, { "/g/cpu.stat": "usage_usec x\n", "/g/memory.current": "-1\n" }, undefined],
  ] as const)("%s", (_name, folders, files, expected) => {
    expect(cgroupUsage(folders, read(files))).toEqual(expected);
  });

  it("never is negative or no number, whatever the files hold", () => {
    const text = fc.oneof(
      fc.string(),
      fc.nat().map(String),
      fc.constantFrom("max\n", "usage_usec 9\n", "8:0 rbytes=5 wbytes=x\n"),
    );
    const files = fc.record(Object.fromEntries(Object.keys({ ...V1_FILES, ...V2_FILES }).map((name) => [name, text])));
    fc.assert(
      fc.property(files, fc.constantFrom(V1, V2), (found, folders) => {
        for (const value of Object.values(cgroupUsage(folders, read(found)) ?? {})) {
          expect(value).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
