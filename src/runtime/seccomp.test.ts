// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runForeground } from "./foreground.ts";
import { defaultSeccomp, resolveSeccomp } from "./seccomp.ts";
import { openTestStore, testTask, whyNoContainers } from "./test-support.ts";
import type { TestStore } from "./test-support.ts";

const reason =
  whyNoContainers() ??
  (process.arch !== "x64" ? "the numbers are those of x86-64" : existsSync("/usr/bin/perl") ? undefined : "no perl");
if (reason !== undefined) console.log(`skipped: refused system calls: ${reason}`);

const [EPERM, ENOSYS] = [1, 38];
const NEWUSER = 0x10000000;
/** Name, number, arguments, errno. */
const REFUSED: readonly (readonly [string, number, readonly number[], number])[] = [
  ["io_uring_setup", 425, [1, 0], EPERM],
  ["io_uring_enter", 426, [0, 0, 0, 0], EPERM],
  ["userfaultfd", 323, [0], EPERM],
  ["keyctl", 250, [0, 0], EPERM],
  ["add_key", 248, [0, 0, 0, 0], EPERM],
  ["request_key", 249, [0, 0, 0, 0], EPERM],
  ["bpf", 321, [0, 0, 0], EPERM],
  ["perf_event_open", 298, [0, 0, 0, 0, 0], EPERM],
  ["kexec_load", 246, [0, 0, 0, 0], EPERM],
  ["kexec_file_load", 320, [0, 0, 0, 0, 0], EPERM],
  ["open_by_handle_at", 304, [0, 0, 0], EPERM],
  ["mount", 165, [0, 0, 0, 0, 0], EPERM],
  ["umount2", 166, [0, 0], EPERM],
  ["fsopen", 430, [0, 0], EPERM],
  ["open_tree", 428, [0, 0, 0], EPERM],
  ["mount_setattr", 442, [0, 0, 0, 0, 0], EPERM],
  ["pivot_root", 155, [0, 0], EPERM],
  ["chroot", 161, [0], EPERM],
  ["setns", 308, [0, 0], EPERM],
  ["unshare user", 272, [NEWUSER], EPERM],
  ["clone user", 56, [NEWUSER | 17, 0, 0, 0, 0], EPERM],
  ["clone3", 435, [0, 0], ENOSYS],
  ["swapon", 167, [0, 0], EPERM],
  ["reboot", 169, [0, 0, 0, 0], EPERM],
  ["init_module", 175, [0, 0, 0], EPERM],
  ["finit_module", 313, [0, 0, 0], EPERM],
  ["delete_module", 176, [0, 0], EPERM],
  ["acct", 163, [0], EPERM],
  ["settimeofday", 164, [0, 0], EPERM],
  ["iopl", 172, [3], EPERM],
  ["ioperm", 173, [0, 1, 1], EPERM],
  ["syslog", 103, [3, 0, 0], EPERM],
  ["quotactl", 179, [0, 0, 0, 0], EPERM],
  ["fanotify_init", 300, [0, 0], EPERM],
  ["lookup_dcookie", 212, [0, 0, 0], EPERM],
  ["move_pages", 279, [0, 0, 0, 0, 0, 0], EPERM],
  ["migrate_pages", 256, [0, 0, 0, 0], EPERM],
  ["set_mempolicy", 238, [0, 0, 0], EPERM],
  ["kcmp", 312, [0, 0, 0, 0, 0], EPERM],
  ["pidfd_getfd", 438, [0, 0, 0], EPERM],
  ["process_madvise", 440, [0, 0, 0, 0, 0], EPERM],
  ["sethostname", 170, [0, 0], EPERM],
  ["vhangup", 153, [], EPERM],
  ["ustat", 136, [0, 0], EPERM],
  ["personality ADDR_NO_RANDOMIZE", 135, [0x0040000], EPERM],
  ["socket AF_ALG", 41, [38, 5, 0], EPERM],
  ["socket AF_ALG with high bits", 41, [0x1_0000_0026, 5, 0], EPERM],
  ["socket AF_VSOCK", 41, [40, 1, 0], EPERM],
  ["socket AF_VSOCK with high bits", 41, [0x1_0000_0028, 1, 0], EPERM],
];
const ALLOWED: readonly (readonly [string, number, readonly number[], number])[] = [
  ["socket AF_INET", 41, [2, 1, 0], 0],
  ["socket AF_UNIX", 41, [1, 1, 0], 0],
  ["socket AF_NETLINK", 41, [16, 3, 0], 0],
  ["personality query", 135, [0xffffffff], 0],
  ["unshare files", 272, [0x400], 0],
  ["getpid", 39, [], 0],
  ["memfd_create", 319, [0, 0], 14],
  ["statx", 332, [0, 0, 0, 0, 0], 14],
];

describe("the default seccomp profile", () => {
  it("follows the capabilities", () => {
    const names = (capabilities: readonly string[]): string[] =>
      defaultSeccomp(capabilities, "amd64").syscalls.flatMap((rule) =>
        rule.args === undefined ? [...rule.names] : [],
      );
    expect(names([])).not.toContain("mount");
    expect(names(["CAP_SYS_ADMIN"])).toEqual(expect.arrayContaining(["mount", "clone", "unshare", "setns", "bpf"]));
    expect(names(["CAP_SYS_CHROOT"])).toContain("chroot");
    expect(names([]).length).toBeGreaterThan(340);
    expect(new Set(names([])).size).toBe(names([]).length);
  });

  it("knows the processor", () => {
    expect(defaultSeccomp([], "arm64").architectures).toEqual(["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);
    expect(defaultSeccomp([], "amd64").syscalls[0]?.names).toContain("arch_prctl");
  });

  it("reads Docker's profile files: conditions on capabilities and processors", () => {
    const profile = {
      defaultAction: "SCMP_ACT_ERRNO",
      archMap: [],
      syscalls: [
        { names: ["read"], action: "SCMP_ACT_ALLOW" },
        { names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { caps: ["CAP_BPF"] } },
        { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38, excludes: { caps: ["CAP_SYS_ADMIN"] } },
        { name: "old", action: "SCMP_ACT_ALLOW", includes: { arches: ["arm64"] }, args: [] },
      ],
    };
    expect(resolveSeccomp(profile, [], "amd64").syscalls.map((rule) => rule.names)).toEqual([["read"], ["clone3"]]);
    const held = resolveSeccomp(profile, ["CAP_BPF", "CAP_SYS_ADMIN"], "arm64");
    expect(held.syscalls.map((rule) => rule.names)).toEqual([["read"], ["bpf"], ["old"]]);
  });
});

describe.skipIf(reason !== undefined)("in a container", () => {
  let store: TestStore;
  const results = new Map<string, number>();
  beforeAll(async () => {
    store = await openTestStore();
    // perl's `syscall` needs no module; arguments beyond 32 bits are plain integers on a 64-bit perl.
    const calls = [...REFUSED, ...ALLOWED].map(
      ([name, number, args]) =>
        `$r = syscall(${[number, ...args].join(",")}); printf "%s=%d\\n", "${name}", $r == -1 ? $!+0 : 0;`,
    );
    const task = testTask(store, ["/usr/bin/perl", "-e", `$|=1; ${calls.join("\n")}`]);
    let output = "";
    const overlays = [{ target: join(task.bundle, "rootfs"), lower: ["/"] }];
    const stdio = { onOutput: (_: 1 | 2, data: Buffer): void => void (output += data.toString()) };
    await runForeground({ ...task, overlays, stdio });
    for (const line of output.split("\n")) results.set(line.split("=")[0] ?? "", Number(line.split("=")[1]));
  });
  afterAll(() => store.close());

  it.each([...REFUSED, ...ALLOWED])("%s (%i) %j ends with errno %i", (name, _, __, errno) => {
    expect(results.get(name)).toBe(errno);
  });
});
