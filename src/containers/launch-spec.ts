// SPDX-License-Identifier: Apache-2.0
/* From a container's record to the OCI configuration that the runtime gets. */
import {
  buildSpec,
  cgroupMode,
  checkRootfs,
  findInit,
  hostCapabilities,
  hostDevices,
  hostMaskedPaths,
  lookupUser,
  namespaceLimits,
  provideRealtime,
  readDevices,
} from "../runtime/index.ts";
import type {
  DeviceGrant,
  OciSpec,
  ProcessInput,
  ResolvedUser,
  SecurityInput,
  SpecInput,
  SpecMount,
} from "../runtime/index.ts";
import { readFileInTree } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";
import { etcMounts } from "./etc-mounts.ts";
import { processArguments, processEnvironment } from "./merge-config.ts";
import { keptId } from "./mount-owners.ts";
import { namelessMounts, withHome } from "./nameless-user.ts";
import type { Launch } from "./runtime-port.ts";
import { resourceLimits } from "./limits.ts";
import { parseSecurityOptions } from "./security-options.ts";
import type { ContainerRecord, HostSettings, MountPoint } from "./types.ts";

/** Makes config.json of a container and the files that are mounted over the image's in /etc. */
export function launchSpec(launch: Launch, tree: SourceTree, console: Pick<ProcessInput, "consoleSize"> = {}): OciSpec {
  const { record, files } = launch;
  const { host, config } = record;
  checkRootfs((path) => tree.lookup(path)?.stats);
  const { shmSize, cpuRealtimeRuntime } = host.resources;
  if (cpuRealtimeRuntime) provideRealtime(cgroupsPathOf(record), cpuRealtimeRuntime);
  const user = userOf(record, tree);
  const confined = confinement(record, user);
  const keepId = keptId(record, user);
  const nameless = namelessMounts({ folder: files.folder, tree }, user, confined.env);
  return buildSpec({
    ...confined,
    ...console,
    rootfs: files.rootfs,
    hostname: config.Hostname,
    ...(config.Domainname === "" ? {} : { domainname: config.Domainname }),
    ...(launch.network === undefined ? {} : { network: { path: launch.network.namespace } }),
    ...(launch.processes === undefined ? {} : { pid: { path: launch.processes } }),
    mounts: mountsOf(record, [...nameless, ...etcMounts(launch)]),
    namespace: namespaceLimits(),
    keepId: keepId && { ...keepId, namespace: launch.network?.userNamespace },
    ...(shmSize === undefined ? {} : { shmSize }),
    resources: resourceLimits(host.resources),
    ...(host.init ? { init: findInit() } : {}),
  });
}

/** What confines a container, without what only a start makes. Throws as a start would. */
export function confinement(record: ContainerRecord, user: ResolvedUser): Omit<SpecInput, "rootfs"> {
  const { host } = record;
  const { pid, ipc, uts, cgroup } = host.namespaces;
  return {
    ...processInput(record, user),
    ...securityInput(host),
    readonlyRootfs: host.readOnly,
    network: host.network === "host" ? "host" : "none",
    ...(pid === "host" ? { pid } : {}),
    ...(ipc === "host" ? { ipc } : {}),
    ...(uts === "host" ? { uts } : {}),
    ...(cgroup === undefined ? {} : { cgroupNamespace: cgroup }),
    cgroupMode: cgroupMode(),
    cgroupsPath: cgroupsPathOf(record),
    mounts: mountsOf(record),
    devices: devicesOf(host),
    deviceCgroupRules: host.security.deviceCgroupRules,
    sysctls: host.sysctls,
  };
}

/** Parent of the control groups of containers that do not choose one. */
export const DEFAULT_CGROUP = "/tare";

/** Where a container's control group is, in every hierarchy. */
export function cgroupsPathOf(record: ContainerRecord): string {
  return `${record.host.cgroupParent ?? DEFAULT_CGROUP}/${record.id}`;
}

/** Who the first process runs as. */
export function userOf(record: ContainerRecord, tree: SourceTree, spec: string = record.config.User): ResolvedUser {
  return lookupUser((path) => readFileInTree(tree, path.replace(/^\//, "")), spec, record.host.security.groupAdd);
}

/** The first process. `HOME` comes from the user unless it is set. */
function processInput(record: ContainerRecord, user: ResolvedUser): ProcessInput {
  const { config, host } = record;
  const { ulimits, oomScoreAdjust } = host.resources;
  return {
    args: processArguments(config),
    env: withHome(processEnvironment(config), user),
    cwd: config.WorkingDir === "" ? "/" : config.WorkingDir,
    user,
    terminal: config.Tty,
    ...(ulimits.length === 0 ? {} : { rlimits: ulimits }),
    ...(oomScoreAdjust === undefined ? {} : { oomScoreAdj: oomScoreAdjust }),
  };
}

/** The confinement of a container, the same for `exec`. */
export function securityInput(
  host: Pick<HostSettings, "security">,
  privileged: boolean = host.security.privileged,
): SecurityInput {
  const { noNewPrivileges, ...options } = parseSecurityOptions(host.security.securityOptions);
  const addsAll = host.security.capAdd.some((name) => name.toUpperCase() === "ALL");
  return {
    mode: "run",
    capabilities: { add: host.security.capAdd, drop: host.security.capDrop },
    privileged,
    ...(privileged ? {} : { noNewPrivileges, maskedPaths: hostMaskedPaths() }),
    ...(privileged || addsAll ? { knownCapabilities: hostCapabilities() } : {}),
    ...options,
  };
}

/** The user's mounts, and ours where the user has none. */
function mountsOf({ mounts }: ContainerRecord, ours: readonly SpecMount[] = []): readonly SpecMount[] {
  const taken = new Set(mounts.map(({ destination }) => destination));
  return [...ours.filter(({ destination }) => !taken.has(destination)), ...mounts.map(specMount)];
}

export function specMount(mount: MountPoint): SpecMount {
  const { destination, source } = mount;
  const access = mount.readOnly ? [mount.recursiveReadOnly === true ? "rro" : "ro"] : [];
  if (mount.type === "tmpfs" || mount.inMemory === true) {
    return { destination, type: "tmpfs", options: [...access, ...mount.options] };
  }
  const words = [...access, ...(mount.recursive ? [] : ["bind"])];
  const propagation = mount.propagation === "" ? [] : [mount.propagation];
  return { destination, type: "bind", source, options: [...words, ...propagation, ...mount.options] };
}

/** The devices asked for; with `--privileged` all of the host. */
function devicesOf({ security }: HostSettings): readonly DeviceGrant[] {
  if (security.privileged) return hostDevices();
  return security.devices.flatMap(({ source, target, permissions }) => readDevices(source, target, permissions));
}
