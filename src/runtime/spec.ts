// SPDX-License-Identifier: Apache-2.0
// Builds config.json. Pure: what must be read from the host (device numbers, capabilities, cgroup mode) comes in.
import { posix } from "node:path";
import { TareError } from "../base/index.ts";
import { DEFAULT_CAPABILITIES, capabilitySets, resolveCapabilities } from "./capabilities.ts";
import type { CapabilityChange } from "./capabilities.ts";
import type { CgroupMode } from "./cgroup.ts";
import { defaultSeccomp, hostSeccompArch, resolveSeccomp } from "./seccomp.ts";
import type { SeccompArch } from "./seccomp.ts";
import { deviceRules, resourceSpec, rlimitSpec } from "./spec-limits.ts";
import type { DeviceGrant, ResourceLimits } from "./spec-limits.ts";
import { defaultMounts, mergeMounts } from "./spec-mounts.ts";
import type { SpecMount } from "./spec-mounts.ts";
import { keepingId } from "./keep-id.ts";
import type { KeptId } from "./keep-id.ts";
import { inUserNamespace } from "./spec-namespace.ts";
import type { NamespaceLimits } from "./spec-namespace.ts";
import { MASKED_PATHS, READONLY_PATHS, checkedSysctls } from "./spec-paths.ts";
import type { OciDevice, OciLinux, OciMount, OciNamespace, OciProcess, OciSeccomp, OciSpec } from "./spec-types.ts";

/** Where a namespace comes from: a new one, the host's, or the one at a path (`/proc/PID/ns/net`, `/run/netns/x`). */
export type NamespaceChoice = "private" | "host" | { readonly path: string };

/** What a process in a container is: shared by `run` and `exec`. */
export interface ProcessInput {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] };
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly rlimits?: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly oomScoreAdj?: number;
}

/** How tightly a container is confined; the defaults are the tight ones. */
export interface SecurityInput {
  /** Which default capabilities. */
  readonly mode: "run" | "build";
  readonly capabilities?: CapabilityChange;
  readonly privileged?: boolean;
  /** Default true. */
  readonly noNewPrivileges?: boolean;
  /** A parsed profile file, or a word. Default `default`. */
  readonly seccomp?: "default" | "unconfined" | Readonly<Record<string, unknown>>;
  readonly apparmorProfile?: string;
  /** Masked besides the fixed list (`hostMaskedPaths()`). */
  readonly maskedPaths?: readonly string[];
  /** No masked or read-only paths below /proc and /sys (`--security-opt systempaths=unconfined`). */
  readonly systemPathsUnconfined?: boolean;
  /** Names that this host's kernel and this process have (`hostCapabilities()`), for `ALL` and `privileged`. */
  readonly knownCapabilities?: readonly string[];
}

/** Everything that `buildSpec` needs. */
export interface SpecInput extends ProcessInput, SecurityInput {
  /** Absolute path of the mounted root file system. */
  readonly rootfs: string;
  readonly readonlyRootfs?: boolean;
  readonly hostname?: string;
  readonly domainname?: string;
  /** `none`: a network namespace with nothing but loopback. */
  readonly network: "none" | "host" | { readonly path: string };
  readonly pid?: NamespaceChoice;
  readonly ipc?: NamespaceChoice;
  readonly uts?: NamespaceChoice;
  /** Default: private on cgroup v2, the host's otherwise. */
  readonly cgroupNamespace?: "private" | "host";
  readonly cgroupMode: CgroupMode;
  /** Absolute in the cgroup tree: `/tare/<id>`. */
  readonly cgroupsPath: string;
  readonly mounts?: readonly SpecMount[];
  /** Bytes of /dev/shm; default 64 MiB. */
  readonly shmSize?: number;
  readonly devices?: readonly DeviceGrant[];
  readonly deviceCgroupRules?: readonly string[];
  readonly resources?: ResourceLimits;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Ours only; nothing of an image may get here. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Host path of a tiny init program (`findInit()`): bound into the container and put before the arguments. */
  readonly init?: string;
  readonly arch?: SeccompArch;
  /** The user namespace that it will be in (`namespaceLimits()`), where that is not the host's. */
  readonly namespace?: NamespaceLimits | undefined;
  /** Who of the container is the caller, in `namespace`. */
  readonly keepId?: KeptId | undefined;
}

/** Where `--init`'s program appears in the container, as in Docker. */
const INIT_TARGET = "/sbin/docker-init";

const SHM_SIZE = 64 * 1024 * 1024;

/** Makes config.json. Throws `E_USAGE`, `E_MOUNT` or `E_CWD` (exit code 125) for values that are wrong or dangerous. */
export function buildSpec(input: SpecInput): OciSpec {
  const capabilities = chosenCapabilities(input);
  const privileged = input.privileged === true;
  const spec: OciSpec = {
    ociVersion: "1.0.2",
    process: buildProcess(input, input, input.init),
    root: { path: input.rootfs, readonly: input.readonlyRootfs === true },
    ...(input.hostname !== undefined && input.uts !== "host" ? { hostname: input.hostname } : {}),
    mounts: mountsFor(input, privileged),
    ...(input.annotations === undefined ? {} : { annotations: input.annotations }),
    linux: linuxPart(input, capabilities, privileged),
  };
  const { namespace, keepId } = input;
  if (namespace === undefined) return spec;
  const inside = inUserNamespace(spec, namespace);
  return keepId === undefined ? inside : keepingId(inside, keepId, namespace);
}

/** The process part alone: what `exec` writes as process.json. */
export function buildProcess(input: ProcessInput, security: SecurityInput, init?: string): OciProcess {
  if (input.args.length === 0) {
    throw new TareError(
      "E_NO_COMMAND",
      "starting the container: neither the image nor the command line names a command",
      {
        hint: "add a command after the image name, or CMD or ENTRYPOINT to its Dockerfile",
        exitCode: 125,
      },
    );
  }
  const { uid, gid, additionalGids } = input.user;
  return {
    terminal: input.terminal === true,
    ...(input.terminal === true && input.consoleSize !== undefined ? { consoleSize: input.consoleSize } : {}),
    user: { uid, gid, ...(additionalGids === undefined || additionalGids.length === 0 ? {} : { additionalGids }) },
    args: init === undefined ? input.args : [INIT_TARGET, "--", ...input.args],
    env: checkedEnvironment(input.env),
    cwd: checkedCwd(input.cwd),
    capabilities: capabilitySets(chosenCapabilities(security), uid),
    ...(input.rlimits === undefined ? {} : { rlimits: rlimitSpec(input.rlimits) }),
    noNewPrivileges: security.noNewPrivileges ?? security.privileged !== true,
    ...(security.apparmorProfile === undefined ? {} : { apparmorProfile: security.apparmorProfile }),
    ...(input.oomScoreAdj === undefined ? {} : { oomScoreAdj: input.oomScoreAdj }),
  };
}

function chosenCapabilities(security: SecurityInput): string[] {
  if (security.privileged === true) return resolveCapabilities([], { add: ["ALL"] }, security.knownCapabilities);
  return resolveCapabilities(
    DEFAULT_CAPABILITIES[security.mode],
    security.capabilities ?? {},
    security.knownCapabilities,
  );
}

function mountsFor(input: SpecInput, privileged: boolean): OciMount[] {
  const defaults = defaultMounts({
    shmSize: input.shmSize ?? SHM_SIZE,
    hostIpc: input.ipc === "host",
    isOrdinary: input.namespace !== undefined,
    privileged,
  });
  const init: SpecMount[] =
    input.init === undefined ? [] : [{ type: "bind", source: input.init, destination: INIT_TARGET, options: ["ro"] }];
  return mergeMounts(defaults, [...init, ...(input.mounts ?? [])]);
}

function linuxPart(input: SpecInput, capabilities: readonly string[], privileged: boolean): OciLinux {
  const seccomp = privileged ? undefined : seccompFor(input, capabilities);
  const open = privileged || input.systemPathsUnconfined === true;
  const sysctl = { ...nameSysctls(input), ...networkSysctls(input), ...checkedSysctls(input.sysctls ?? {}, input) };
  const devices = (input.devices ?? []).map(deviceNode);
  return {
    namespaces: namespacesFor(input),
    ...(devices.length === 0 ? {} : { devices }),
    cgroupsPath: input.cgroupsPath,
    resources: {
      devices: deviceRules(input.devices ?? [], input.deviceCgroupRules ?? [], privileged),
      ...resourceSpec(input.resources ?? {}),
    },
    ...(seccomp === undefined ? {} : { seccomp }),
    ...(Object.keys(sysctl).length === 0 ? {} : { sysctl }),
    ...(open ? {} : { maskedPaths: [...MASKED_PATHS, ...(input.maskedPaths ?? [])], readonlyPaths: READONLY_PATHS }),
  };
}

/** The node without what the container may do with it. */
function deviceNode({ path, type, major, minor, fileMode, uid, gid }: DeviceGrant): OciDevice {
  const rest = { fileMode, uid, gid };
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { path, type, major, minor, ...known };
}

function seccompFor(input: SpecInput, capabilities: readonly string[]): OciSeccomp | undefined {
  const wanted = input.seccomp ?? "default";
  if (wanted === "unconfined") return undefined;
  const arch = input.arch ?? hostSeccompArch();
  return wanted === "default" ? defaultSeccomp(capabilities, arch) : resolveSeccomp(wanted, capabilities, arch);
}

function namespacesFor(input: SpecInput): OciNamespace[] {
  const network: NamespaceChoice = input.network === "none" ? "private" : input.network;
  const cgroup = input.cgroupNamespace ?? (input.cgroupMode === "v2" ? "private" : "host");
  const choices: readonly (readonly [OciNamespace["type"], NamespaceChoice])[] = [
    ["mount", "private"],
    ["pid", input.pid ?? "private"],
    ["ipc", input.ipc ?? "private"],
    ["uts", input.uts ?? "private"],
    ["network", network],
    ["cgroup", cgroup],
  ];
  return choices.flatMap(([type, choice]) => {
    if (choice === "host") return [];
    return choice === "private" ? [{ type }] : [{ type, path: choice.path }];
  });
}

/** runc knows a field for the domain only since 1.2. */
function nameSysctls({ domainname, uts }: SpecInput): Record<string, string> {
  return domainname === undefined || uts === "host" ? {} : { "kernel.domainname": domainname };
}

/** In its own network namespace a container may use every port and ping without more capabilities, as in Docker. */
function networkSysctls(input: SpecInput): Record<string, string> {
  if (input.network === "host") return {};
  return { "net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647" };
}

function checkedEnvironment(env: readonly string[]): readonly string[] {
  for (const entry of env) {
    if (entry.includes("\0") || entry.startsWith("=") || !entry.includes("=")) {
      throw new TareError("E_USAGE", `setting the environment: \`${entry}\` is not NAME=VALUE`, { exitCode: 125 });
    }
  }
  return env;
}

/** A working directory that could lead out of the container (CVE-2024-21626: below /proc) or is no absolute path. */
function checkedCwd(cwd: string): string {
  const path = posix.normalize(cwd);
  if (!cwd.startsWith("/") || cwd.includes("\0") || path === "/proc" || path.startsWith("/proc/")) {
    throw new TareError("E_CWD", `choosing the working directory \`${cwd}\`: it must be absolute and not below /proc`, {
      hint: "correct WORKDIR in the Dockerfile or `--workdir` on the command line",
      exitCode: 125,
    });
  }
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
