// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cgroupDirectories, cgroupModeOf, unifiedMount } from "./cgroup.ts";
import { findRuntime } from "./find.ts";
import { whyNoContainers } from "./test-support.ts";

const reason = whyNoContainers();
if (reason !== undefined) console.log(`skipped: probing runtimes: ${reason}`);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tare-find-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("finding a runtime", () => {
  it.skipIf(reason !== undefined)("probes once and remembers until the program changes", async () => {
    const runRoot = join(folder, "run");
    const first = await findRuntime({ runRoot });
    const [cache = ""] = readdirSync(runRoot);
    const text = readFileSync(join(runRoot, cache), "utf8");
    writeFileSync(join(runRoot, cache), text.replace(first.version, "9.9.9"));
    expect((await findRuntime({ runRoot })).version).toBe("9.9.9");
    writeFileSync(join(runRoot, cache), text.replace(/"stamp":"/, '"stamp":"old '));
    expect((await findRuntime({ runRoot })).version).toBe(first.version);
    expect(readdirSync(runRoot)).toEqual([cache]);
  });

  it("says what is missing, and why one does not work", async () => {
    const runRoot = join(folder, "run");
    const missing = findRuntime({ runRoot, name: "/nowhere/runc" });
    await expect(missing).rejects.toMatchObject({
      code: "E_NO_RUNTIME",
      exitCode: 125,
      hint: expect.stringContaining("tare system install"),
    });
    const broken = join(folder, "broken");
    writeFileSync(broken, "#!/bin/sh\necho this host is too old >&2; exit 1\n", { mode: 0o755 });
    await expect(findRuntime({ runRoot, name: broken })).rejects.toThrow(/broken: this host is too old/);
  });
});

describe("control groups", () => {
  const v1 =
    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
  const unified = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

  it.each([
    ["v1", v1],
    ["hybrid", v1 + unified],
    ["v2", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"],
  ])("are %s", (mode, mountinfo) => {
    expect(cgroupModeOf(mountinfo)).toBe(mode);
  });

  it("have their v2 tree beside the others on a hybrid host", () => {
    expect(unifiedMount(v1 + unified)).toBe("/sys/fs/cgroup/unified");
    expect(unifiedMount(v1)).toBeUndefined();
  });

  it("have one directory per hierarchy", () => {
    const expected = ["/sys/fs/cgroup/cpu/tare/x", "/sys/fs/cgroup/pids/tare/x", "/sys/fs/cgroup/unified/tare/x"];
    expect(cgroupDirectories("/tare/x", v1 + unified)).toEqual(expected);
  });
});
