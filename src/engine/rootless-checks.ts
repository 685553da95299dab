// SPDX-License-Identifier: Apache-2.0
/* What an ordinary user's containers need of this host, each with the exact command. Pure: facts come in. */
import type { RootlessFacts } from "../rootless/index.ts";
import type { HostCheck } from "./facade.ts";

const ENOUGH_IDS = 65_536;

/** The checks that an ordinary user gets besides those of everybody. */
export function rootlessChecks(facts: RootlessFacts): readonly HostCheck[] {
  return [
    namespaces(facts),
    lentIds(facts),
    helper(facts),
    groups(facts),
    lingering(facts),
    network(facts),
    ports(facts),
    ping(facts),
  ];
}

/** The setting that stands in the way comes before what the kernel said. */
function namespaces({ refusal, sysctls }: RootlessFacts): HostCheck {
  const about = { name: "user namespace", needed: "containers without root" };
  if (refusal === undefined) return { ...about, status: "ok", detail: "made and entered" };
  const fix = blockingSetting(sysctls);
  const hint =
    fix === undefined ? "ask who runs this host to allow user namespaces (`unshare --user true`)" : keep(fix);
  return { ...about, status: "missing", detail: refusal, hint };
}

function blockingSetting(sysctls: RootlessFacts["sysctls"]): string | undefined {
  if (sysctls["kernel.unprivileged_userns_clone"] === "0") return "kernel.unprivileged_userns_clone=1";
  if (sysctls["user.max_user_namespaces"] === "0") return "user.max_user_namespaces=28633";
  if (sysctls["kernel.apparmor_restrict_unprivileged_userns"] === "1")
    return "kernel.apparmor_restrict_unprivileged_userns=0";
  return undefined;
}

/** A setting for now and for the next start. */
function keep(setting: string): string {
  return `run as root: echo ${setting} >> /etc/sysctl.d/90-tare.conf && sysctl --system`;
}

function lentIds({ lentUids, lentGids, lend, user }: RootlessFacts): HostCheck {
  const about = { name: "lent ids", needed: "images with files or programs of other users than root" };
  const detail = `${user} has ${lentUids} user ids and ${lentGids} group ids`;
  if (Math.min(lentUids, lentGids) >= ENOUGH_IDS) return { ...about, status: "ok", detail };
  const few = lentUids > 0 && lentGids > 0 ? `; images use up to ${ENOUGH_IDS}` : "";
  return { ...about, status: "warning", detail: `${detail}${few}`, hint: `run as root: ${lend}` };
}

function helper({ helper: state }: RootlessFacts): HostCheck {
  const about = { name: "newuidmap", needed: "giving lent ids to the user's namespace", package: "uidmap" };
  if (state === "missing") return { ...about, status: "missing", detail: "not installed" };
  if (state === "ok") return { ...about, status: "ok", detail: "newuidmap and newgidmap may give ids" };
  const { package: _, ...rest } = about;
  const hint = "run as root: chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap";
  return { ...rest, status: "missing", detail: "not setuid root, so it can give no ids", hint };
}

/** Told, not counted as a lack: nothing that an ordinary user could change makes them used. */
function groups({ controllers }: RootlessFacts): HostCheck {
  const about = { name: "user's control groups", needed: "limits without root" };
  const found =
    controllers === undefined
      ? "no unified (v2) tree"
      : `delegated by this host: ${controllers.length === 0 ? "none" : controllers.join(", ")}`;
  return { ...about, status: "ok", detail: `not used in this version: limits need root (${found})` };
}

function lingering({ hasSystemd, lingers, user }: RootlessFacts): HostCheck {
  const about = { name: "lingering", needed: "containers that go on after logging out" };
  if (!hasSystemd) return { ...about, status: "ok", detail: "no login manager ends the user's processes" };
  if (lingers) return { ...about, status: "ok", detail: `${user}'s processes go on` };
  const hint = `run: loginctl enable-linger ${user}`;
  return { ...about, status: "warning", detail: "processes may end with the last login", hint };
}

function network({ pasta, canTunnel }: RootlessFacts): HostCheck {
  const about = { name: "pasta", needed: "networks and published ports without root" };
  if (pasta === undefined) return { ...about, status: "missing", detail: "not installed", package: "passt" };
  if (canTunnel) return { ...about, status: "ok", detail: pasta };
  const hint = "run as root: modprobe tun && chmod 0666 /dev/net/tun";
  return { ...about, status: "missing", detail: "/dev/net/tun can't be opened", hint };
}

function ports({ sysctls }: RootlessFacts): HostCheck {
  const first = Number(sysctls["net.ipv4.ip_unprivileged_port_start"] ?? 1024);
  const about = { name: "low ports", needed: "publishing ports below 1024" };
  if (first <= 80) return { ...about, status: "ok", detail: `a user may listen from port ${first} on` };
  const hint = keep("net.ipv4.ip_unprivileged_port_start=80");
  return { ...about, status: "ok", detail: `not below ${first}; to change that, ${hint}` };
}

function ping({ sysctls, account }: RootlessFacts): HostCheck {
  const [first = 1, last = 0] = (sysctls["net.ipv4.ping_group_range"] ?? "").split(" ").map(Number);
  const about = { name: "ping", needed: "`ping` out of containers with `--network host`" };
  if (first <= account.gid && account.gid <= last)
    return { ...about, status: "ok", detail: `groups ${first} to ${last}` };
  const hint = keep('"net.ipv4.ping_group_range=0 2147483647"');
  return { ...about, status: "ok", detail: `not for the user's group; to change that, ${hint}` };
}
