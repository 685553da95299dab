// SPDX-License-Identifier: Apache-2.0
/* What of this host decides whether an ordinary user gets a namespace, control groups and a network. Reads only. */
import * as fs from "node:fs";
import { hostEnvironment, messageOf, readTextIfPresent } from "../base/index.ts";
import type { Account } from "../base/index.ts";
import { entranceOf, standsOutside } from "./enter.ts";
import { accountName, hostTables } from "./map-plan.ts";
import { locate } from "./programs.ts";
import { lendCommand, parseSubIds } from "./sub-ids.ts";

/** Settings of a host as they are; absent where the kernel or the system has no such thing. */
export interface RootlessFacts {
  readonly account: Account;
  /** Of /etc/passwd, else the number. */
  readonly user: string;
  /** How many ids root has lent. */
  readonly lentUids: number;
  readonly lentGids: number;
  /** The command that lends some. */
  readonly lend: string;
  /** Why no namespace can be entered. */
  readonly refusal: string | undefined;
  /** `newuidmap` may do its work: setuid root, or with file capabilities. */
  readonly helper: "missing" | "powerless" | "ok";
  /** Values of kernel settings by name. */
  readonly sysctls: Readonly<Record<(typeof SYSCTLS)[number], string | undefined>>;
  readonly hasSystemd: boolean;
  readonly lingers: boolean;
  /** What of the v2 tree is the user's to control; undefined without such a tree. */
  readonly controllers: readonly string[] | undefined;
  readonly pasta: string | undefined;
  /** Whether the user may open /dev/net/tun. */
  readonly canTunnel: boolean;
}

const SYSCTLS = [
  "kernel.unprivileged_userns_clone",
  "user.max_user_namespaces",
  "kernel.apparmor_restrict_unprivileged_userns",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
] as const;

/** Looks at the host for an account. A namespace that is missing is made. */
export async function rootlessFacts(account: Account): Promise<RootlessFacts> {
  const tables = hostTables();
  const name = accountName(account.uid, tables.passwd);
  const owner = { uid: account.uid, name };
  const count = (text: string): number => parseSubIds(text, owner).reduce((sum, range) => sum + range.count, 0);
  const user = name ?? String(account.uid);
  const pasta = locate("pasta");
  return {
    account,
    user,
    lentUids: count(tables.subuid),
    lentGids: count(tables.subgid),
    lend: lendCommand(user, tables.subuid, tables.subgid),
    refusal: standsOutside() ? await refusal() : undefined,
    helper: helperState(),
    sysctls: readSysctls(),
    hasSystemd: fs.existsSync("/run/systemd/system"),
    lingers: fs.existsSync(`/var/lib/systemd/linger/${user}`),
    controllers: delegated(account.uid),
    pasta: pasta.startsWith("/") ? pasta : undefined,
    canTunnel: canOpen("/dev/net/tun"),
  };
}

async function refusal(): Promise<string | undefined> {
  try {
    await entranceOf(["true"], hostEnvironment());
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Both programs are one package's; a file capability counts as well as the setuid bit (Fedora has the former). */
function helperState(): RootlessFacts["helper"] {
  const paths = ["newuidmap", "newgidmap"].map(locate);
  if (paths.some((path) => !path.startsWith("/"))) return "missing";
  const isSetuid = paths.every((path) => (fs.statSync(path).mode & 0o4000) !== 0);
  return isSetuid || fs.existsSync("/etc/fedora-release") ? "ok" : "powerless";
}

function readSysctls(): RootlessFacts["sysctls"] {
  const read = (name: string): string | undefined =>
    readTextIfPresent(`/proc/sys/${name.replaceAll(".", "/")}`)
      ?.trim()
      .replaceAll(/\s+/g, " ");
  const [clone, most, apparmor, port, ping] = SYSCTLS.map(read);
  return {
    "kernel.unprivileged_userns_clone": clone,
    "user.max_user_namespaces": most,
    "kernel.apparmor_restrict_unprivileged_userns": apparmor,
    "net.ipv4.ip_unprivileged_port_start": port,
    "net.ipv4.ping_group_range": ping,
  };
}

function delegated(uid: number): readonly string[] | undefined {
  if (readTextIfPresent("/sys/fs/cgroup/cgroup.controllers") === undefined) return undefined;
  const folder = `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service`;
  return (readTextIfPresent(`${folder}/cgroup.controllers`) ?? "").split(/\s+/).filter(Boolean);
}

function canOpen(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
