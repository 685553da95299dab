// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { RootlessFacts } from "../rootless/index.ts";
import { rootlessChecks } from "./rootless-checks.ts";

const READY: RootlessFacts = {
  account: { uid: 1001, gid: 1001 },
  user: "ann",
  lentUids: 65_536,
  lentGids: 65_536,
  lend: "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann",
  refusal: undefined,
  helper: "ok",
  sysctls: {
    "kernel.unprivileged_userns_clone": "1",
    "user.max_user_namespaces": "1000",
    "kernel.apparmor_restrict_unprivileged_userns": undefined,
    "net.ipv4.ip_unprivileged_port_start": "80",
    "net.ipv4.ping_group_range": "0 2147483647",
  },
  hasSystemd: true,
  lingers: true,
  controllers: ["cpu", "cpuset", "io", "memory", "pids"],
  pasta: "/usr/bin/pasta",
  canTunnel: true,
};
const REFUSED = "making a user namespace: unshare failed: Operation not permitted";

describe("the checks of an ordinary user", () => {
  it("are all fine on a host that is ready", () => {
    expect(rootlessChecks(READY).filter(({ status }) => status !== "ok")).toEqual([]);
  });

  it.each([
    {
      name: "no lent ids",
      facts: { lentUids: 0, lentGids: 0 },
      check: "lent ids",
      status: "warning",
      says: READY.lend,
    },
    { name: "too few lent ids", facts: { lentGids: 1000 }, check: "lent ids", status: "warning", says: READY.lend },
    { name: "no newuidmap", facts: { helper: "missing" }, check: "newuidmap", status: "missing", says: "uidmap" },
    {
      name: "newuidmap without rights",
      facts: { helper: "powerless" },
      check: "newuidmap",
      status: "missing",
      says: "chmod u+s",
    },
    {
      name: "no lingering",
      facts: { lingers: false },
      check: "lingering",
      status: "warning",
      says: "loginctl enable-linger ann",
    },
    { name: "no pasta", facts: { pasta: undefined }, check: "pasta", status: "missing", says: "passt" },
    { name: "no tunnel device", facts: { canTunnel: false }, check: "pasta", status: "missing", says: "/dev/net/tun" },
  ] as const)("say what to do about $name", ({ facts, check, status, says }) => {
    const found = rootlessChecks({ ...READY, ...facts }).find(({ name }) => name === check);
    expect(found?.status).toBe(status);
    expect(`${found?.hint ?? ""} ${found?.package ?? ""}`).toContain(says);
  });

  it.each([
    { setting: "kernel.unprivileged_userns_clone", value: "0", says: "kernel.unprivileged_userns_clone=1" },
    { setting: "user.max_user_namespaces", value: "0", says: "user.max_user_namespaces=" },
    {
      setting: "kernel.apparmor_restrict_unprivileged_userns",
      value: "1",
      says: "kernel.apparmor_restrict_unprivileged_userns=0",
    },
  ])("name $setting when it forbids namespaces", ({ setting, value, says }) => {
    const [check] = rootlessChecks({ ...READY, refusal: REFUSED, sysctls: { ...READY.sysctls, [setting]: value } });
    expect(check).toMatchObject({ status: "missing", detail: REFUSED });
    expect(check?.hint).toContain(says);
  });

  it("say that control groups are not used, and what there is", () => {
    const detail = (controllers: RootlessFacts["controllers"]): string =>
      rootlessChecks({ ...READY, controllers }).find(({ name }) => name === "user's control groups")?.detail ?? "";
    expect(detail(["memory", "pids"])).toContain("delegated by this host: memory, pids");
    expect(detail(undefined)).toContain("need root (no unified (v2) tree)");
  });

  it("have a hint for a refusal that no setting explains", () => {
    expect(rootlessChecks({ ...READY, refusal: REFUSED })[0]?.hint).toContain("unshare");
  });
});
