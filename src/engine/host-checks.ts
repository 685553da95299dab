// SPDX-License-Identifier: Apache-2.0
/* What this host has and lacks. Each check looks for itself and tells; none throws. */
import * as fs from "node:fs";
import { release } from "node:os";
import { dirname } from "node:path";
import {
  callingAccount,
  highestId,
  isRootless,
  linux,
  messageOf,
  readTextIfPresent,
  systemErrorCode,
  userNamespace,
} from "../base/index.ts";
import { rootlessFacts } from "../rootless/index.ts";
import { cgroupMode, findRuntime } from "../runtime/index.ts";
import { findNameServer } from "../network/index.ts";
import type { HostCheck } from "./facade.ts";
import { findProgram, versionOf } from "./programs.ts";
import { rootlessChecks } from "./rootless-checks.ts";
import type { Settings } from "./settings.ts";

type Check = (settings: Settings) => HostCheck | Promise<HostCheck>;

const OLDEST_KERNEL = [5, 11] as const;
const LITTLE_SPACE = 2 * 2 ** 30;

/** All checks, in the order in which they are shown. */
const CHECKS: readonly Check[] = [
  checkSystem,
  checkKernel,
  checkUser,
  checkRuntime,
  program("conmon", { needed: "containers in the background (`run -d`)", package: "conmon" }),
  programs("util-linux", ["unshare", "nsenter", "setpriv"], {
    needed: "RUN steps and containers",
    package: "util-linux",
  }),
  program("mount", { needed: "RUN steps and containers", package: "mount" }),
  programs("iproute2", ["ip"], { needed: "networks of containers", package: "iproute2" }),
  program("nft", { needed: "networks of containers and published ports", package: "nftables" }),
  checkNameServer,
  checkOverlay,
  checkCgroups,
  checkSeccomp,
  checkCalls,
  program("mmdebstrap", { needed: "base images (`tare base`)", package: "mmdebstrap" }),
  program("apt-get", { needed: "base images (`tare base`)", package: "apt" }),
  checkKeyring,
  program("git", { needed: "ADD and build contexts from git repositories", package: "git" }),
  program("busybox", { needed: "tools of `tare debug` without `--image`", package: "busybox-static" }),
  checkSpace,
  checkAgent,
];

/** Looks at the host; nothing is changed, except that the runtime's answer is remembered in `runRoot`. */
export async function checkHost(settings: Settings): Promise<readonly HostCheck[]> {
  const checks = await Promise.all(CHECKS.map((check) => check(settings)));
  const account = callingAccount();
  if (account === undefined || !isRootless() || process.platform !== "linux") return checks;
  return [...checks, ...rootlessChecks(await rootlessFacts(account))];
}

/** What a program is for. */
interface Need {
  readonly needed: string;
  readonly package: string;
}

function program(name: string, need: Need): Check {
  return async ({ env }) => {
    const path = findProgram(name, env["PATH"]);
    if (path === undefined) return { name, status: "missing", detail: "not installed", ...need };
    const version = await versionOf(path);
    return { name, status: "ok", detail: version === undefined ? path : `${version} (${path})`, ...need };
  };
}

function programs(name: string, names: readonly string[], need: Need): Check {
  return async ({ env }) => {
    const missing = names.filter((each) => findProgram(each, env["PATH"]) === undefined);
    if (missing.length > 0) {
      return { name, status: "missing", detail: `not installed: ${missing.join(", ")}`, ...need };
    }
    const version = await versionOf(findProgram(names[0] ?? "", env["PATH"]) ?? "");
    return { name, status: "ok", detail: `${version ?? "found"}: ${names.join(", ")}`, ...need };
  };
}

/** Distributions put it beside podman's other programs, which no search path has. */
async function checkNameServer(): Promise<HostCheck> {
  const need = { needed: "names in networks that you make", package: "aardvark-dns" };
  const path = findNameServer();
  if (path === undefined) return { name: "aardvark-dns", status: "missing", detail: "not installed", ...need };
  const version = await versionOf(path);
  return { name: "aardvark-dns", status: "ok", detail: `${version ?? "found"} (${path})`, ...need };
}

function checkSystem(): HostCheck {
  const isLinux = process.platform === "linux";
  return {
    name: "system",
    status: isLinux ? "ok" : "missing",
    detail: `${process.platform}/${process.arch}, Node ${process.versions.node}`,
    needed: "building and running containers",
    ...(isLinux ? {} : { hint: "containers need Linux: use a virtual machine" }),
  };
}

function checkKernel(): HostCheck {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  const isNew = major > OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor >= OLDEST_KERNEL[1]);
  return {
    name: "kernel",
    status: isNew ? "ok" : "warning",
    detail: release(),
    needed: "confined extraction (openat2) and overlayfs as it is used here",
    ...(isNew ? {} : { hint: `use Linux ${OLDEST_KERNEL.join(".")} or newer` }),
  };
}

function checkUser(): HostCheck {
  const uid = callingAccount()?.uid;
  const needed = "RUN steps, containers and base images";
  if (uid === 0) return { name: "user", status: "ok", detail: "root", needed };
  const { isInitial, uids } = userNamespace();
  const detail = `uid ${uid ?? "unknown"}`;
  if (!isInitial) {
    const others = highestId(uids) === 0 ? "himself alone" : `himself and ${highestId(uids)} lent ids`;
    return { name: "user", status: "ok", detail: `${detail}, in a namespace of ${others}`, needed };
  }
  return { name: "user", status: "warning", detail, needed, hint: "see `user namespace` below, or run with sudo" };
}

async function checkRuntime({ runRoot, env }: Settings): Promise<HostCheck> {
  const need = { name: "runtime", needed: "RUN steps and containers" };
  const path = findProgram("runc", env["PATH"]) ?? findProgram("crun", env["PATH"]);
  if (path === undefined) {
    return { ...need, status: "missing", detail: "neither runc nor crun is installed", package: "runc" };
  }
  if (process.getuid?.() !== 0) {
    const hint = "see `user namespace` below, or run with sudo";
    return { ...need, status: "warning", detail: `${path}, not tried without a namespace`, hint };
  }
  try {
    const found = await findRuntime({ runRoot });
    return { ...need, status: "ok", detail: `${found.name} ${found.version} (${found.path})` };
  } catch (error) {
    const hasRunc = findProgram("runc", env["PATH"]) !== undefined;
    const other = hasRunc
      ? { hint: "this host may itself be a container without the needed rights" }
      : { package: "runc" };
    return { ...need, status: "missing", detail: messageOf(error), ...other };
  }
}

function checkOverlay(): HostCheck {
  const isThere = /\boverlay$/m.test(readTextIfPresent("/proc/filesystems") ?? "");
  return {
    name: "overlayfs",
    status: isThere ? "ok" : "warning",
    detail: isThere ? "in the kernel" : "not loaded",
    needed: "RUN steps and containers",
    ...(isThere ? {} : { hint: "run `modprobe overlay`; it may be loaded by the first use" }),
  };
}

function checkCgroups(): HostCheck {
  const needed = "limits of memory, CPUs and processes";
  if (!fs.existsSync("/sys/fs/cgroup")) {
    return { name: "cgroups", status: "missing", detail: "/sys/fs/cgroup is not mounted", needed, hint: "mount it" };
  }
  return { name: "cgroups", status: "ok", detail: cgroupMode(), needed };
}

function checkSeccomp(): HostCheck {
  const needed = "the filter of system calls";
  const status = readTextIfPresent("/proc/self/status") ?? "";
  const isThere = /^Seccomp:/m.test(status);
  if (isThere) return { name: "seccomp", status: "ok", detail: "in the kernel", needed };
  return {
    name: "seccomp",
    status: "missing",
    detail: "not in the kernel",
    needed,
    hint: "use a kernel with CONFIG_SECCOMP_FILTER",
  };
}

/** The one call that fails in a known way tells that the bridge to libc works. */
function checkCalls(): HostCheck {
  const about = { name: "system calls", needed: "unpacking and packing of layers" };
  try {
    linux.lgetxattr("/", "user.tare.check");
    return { ...about, status: "ok", detail: "koffi works" };
  } catch (error) {
    return {
      ...about,
      status: "missing",
      detail: messageOf(error),
      hint: "reinstall tare's npm packages on this machine",
    };
  }
}

function checkKeyring(): HostCheck {
  const folder = "/usr/share/keyrings";
  const need = { name: "keyring", needed: "base images (`tare base`)", package: "debian-archive-keyring" };
  const found = ["debian-archive-keyring.gpg", "debian-archive-keyring.pgp"].find((name) =>
    fs.existsSync(`${folder}/${name}`),
  );
  if (found === undefined) return { ...need, status: "missing", detail: "no keyring of Debian's archive" };
  return { ...need, status: "ok", detail: `${folder}/${found}` };
}

function checkSpace({ root }: Settings): HostCheck {
  const needed = "images, layers and the build cache";
  const { bavail, bsize } = fs.statfsSync(existingPart(root));
  const free = bavail * bsize;
  const detail = `${(free / 1e9).toFixed(1)} GB free at ${root}`;
  if (free >= LITTLE_SPACE) return { name: "disk", status: "ok", detail, needed };
  return {
    name: "disk",
    status: "warning",
    detail,
    needed,
    hint: "free some, or put the store elsewhere with TARE_ROOT",
  };
}

function existingPart(path: string): string {
  try {
    fs.accessSync(path);
    return path;
  } catch (error) {
    return systemErrorCode(error) === "ENOENT" && dirname(path) !== path ? existingPart(dirname(path)) : "/";
  }
}

function checkAgent({ env }: Settings): HostCheck {
  const socket = env["SSH_AUTH_SOCK"];
  const detail = socket && fs.existsSync(socket) ? "an agent runs" : "none; only `RUN --mount=type=ssh` would want one";
  return { name: "ssh agent", status: "ok", detail, needed: "`RUN --mount=type=ssh`" };
}
