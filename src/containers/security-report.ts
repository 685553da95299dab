// SPDX-License-Identifier: Apache-2.0
/* What a container may do, from the configuration that the runtime gets: not what was asked for, what is. Pure. */
import type { IdRange } from "../base/index.ts";
import type { OciSpec } from "../runtime/index.ts";
import { findingsOf } from "./security-findings.ts";
import type { SecurityFinding } from "./security-findings.ts";
import type { MountPoint } from "./types.ts";

/** A mount as far as the host is concerned. */
export interface SharedPath {
  /** On the host. */
  readonly source: string;
  readonly destination: string;
  readonly writable: boolean;
  readonly kind: "bind" | "volume" | "image";
}

/** What a container may do. Lists are in the order of the configuration. */
export interface SecurityReport {
  readonly name: string;
  readonly kind: "container" | "image";
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
    /** Who that is on the host; undefined for an id that the namespace lacks. */
    readonly hostUid: number | undefined;
  };
  /** Rows of the user namespace in the host's ids; empty when it is the host's own. */
  readonly uidMap: readonly IdRange[];
  readonly isRootless: boolean;
  readonly privileged: boolean;
  readonly capabilities: { readonly effective: readonly string[]; readonly bounding: readonly string[] };
  readonly seccomp: "default" | "custom" | "none";
  readonly noNewPrivileges: boolean;
  /** Profile name; `none` where there is none. */
  readonly apparmor: string;
  /** Label of SELinux; `none` where there is none. */
  readonly selinux: string;
  /** Namespaces that are the host's, by the specification's names. */
  readonly sharedNamespaces: readonly string[];
  /** Device files besides the usual ones. */
  readonly devices: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly maskedPaths: readonly string[];
  readonly readOnlyPaths: readonly string[];
  readonly mounts: readonly SharedPath[];
  /** `127.0.0.1:8080->80/tcp` */
  readonly ports: readonly string[];
  readonly limits: {
    readonly memory: number | undefined;
    readonly pids: number | undefined;
    readonly cpus: number | undefined;
  };
  /** The most dangerous first. */
  readonly findings: readonly SecurityFinding[];
}

/** What a report is made of. */
export interface ReportInput {
  readonly name: string;
  readonly kind: SecurityReport["kind"];
  readonly spec: OciSpec;
  readonly privileged: boolean;
  readonly seccomp: SecurityReport["seccomp"];
  readonly mounts: readonly MountPoint[];
  readonly ports: readonly string[];
  /** Devices that are asked for by name, as `nvidia.com/gpu=0`; what they mean shows at the start. */
  readonly requestedDevices?: readonly string[];
  readonly limits: SecurityReport["limits"];
  /** Of this process's user namespace; empty in the host's own. */
  readonly uidMap: readonly IdRange[];
  readonly isRootless: boolean;
}

const NAMESPACES = ["pid", "network", "ipc", "uts", "cgroup"];

/** The report of a configuration. */
export function securityReport(input: ReportInput): SecurityReport {
  const { spec, name, kind, privileged, seccomp, ports, limits, uidMap, isRootless } = input;
  const { user, capabilities, noNewPrivileges, apparmorProfile, selinuxLabel } = spec.process;
  const own = new Set(spec.linux.namespaces.map(({ type }) => type as string));
  const facts = {
    name,
    kind,
    user: { uid: user.uid, gid: user.gid, groups: user.additionalGids ?? [], hostUid: outsideId(user.uid, uidMap) },
    uidMap,
    isRootless,
    privileged,
    capabilities: { effective: capabilities.effective, bounding: capabilities.bounding },
    seccomp,
    noNewPrivileges,
    apparmor: apparmorProfile ?? "none",
    selinux: selinuxLabel ?? "none",
    sharedNamespaces: NAMESPACES.filter((type) => !own.has(type)),
    devices: [...(spec.linux.devices ?? []).map(({ path }) => path), ...(input.requestedDevices ?? [])],
    readOnlyRoot: spec.root.readonly,
    maskedPaths: spec.linux.maskedPaths ?? [],
    readOnlyPaths: spec.linux.readonlyPaths ?? [],
    mounts: input.mounts.flatMap(sharedPath),
    ports,
    limits,
  };
  return { ...facts, findings: findingsOf(facts) };
}

function sharedPath({ type, source, destination, readOnly, inMemory }: MountPoint): SharedPath[] {
  if (type === "tmpfs" || inMemory === true) return [];
  return [{ source, destination, writable: !readOnly && type !== "image", kind: type }];
}

function outsideId(id: number, rows: readonly IdRange[]): number | undefined {
  if (rows.length === 0) return id;
  const row = rows.find(({ inside, count }) => id >= inside && id < inside + count);
  return row === undefined ? undefined : row.outside + id - row.inside;
}
