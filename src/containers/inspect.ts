// SPDX-License-Identifier: Apache-2.0
/* Docker's `inspect` document of a container (Engine API, "Inspect a container"), from the record and its state. */
import { MASKED_PATHS, READONLY_PATHS } from "../runtime/index.ts";
import { filesOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { findView } from "./find.ts";
import { logFile, logNumbers } from "./logs/files.ts";
import { logConfigOf, logLimitsOf } from "./logs/settings.ts";
import { readHealthResults, readHealthStatus } from "./health-state.ts";
import { shownStatus, sizeOf } from "./list.ts";
import { processArguments } from "./merge-config.ts";
import { deviceRequestDocument } from "./requested-devices.ts";
import type { DeviceValue } from "./request.ts";
import { isUp } from "./state.ts";
import type { ContainerConfig, ContainerRecord, DerivedState, HostSettings, MountPoint } from "./types.ts";
import { networkDocument, portBindings } from "./network-document.ts";

const DEFAULT_SHM = 64 * 1024 * 1024;
const NEVER = "0001-01-01T00:00:00Z";

/** The document of one container. Throws `E_CONTAINER_NOTFOUND`. Takes no lock. */
export function inspectContainer(
  context: ContainersContext,
  text: string,
  options: { readonly size?: boolean } = {},
): Readonly<Record<string, unknown>> {
  const view = findView(context, text);
  const { record, state } = view;
  const files = filesOf(context, record.id);
  const [path = "", ...args] = processArguments(record.config);
  const size = options.size ? sizeOf(context, record.id, record.layers) : undefined;
  return {
    Id: record.id,
    Created: timeText(record.createdAt),
    Path: path,
    Args: args,
    State: { ...stateDocument(state), ...healthDocument(view, files.health) },
    Image: record.imageId,
    ResolvConfPath: `${files.etc}/resolv.conf`,
    HostnamePath: `${files.etc}/hostname`,
    HostsPath: `${files.etc}/hosts`,
    LogPath: logPathOf(record, files.logs),
    Name: `/${record.name}`,
    RestartCount: record.restart?.count ?? 0,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostDocument(record),
    GraphDriver: { Name: "overlay2", Data: { UpperDir: files.upper, WorkDir: files.work } },
    ...(size ? { SizeRw: size.writable, SizeRootFs: size.root } : {}),
    Mounts: record.mounts.filter((mount) => mount.type !== "tmpfs").map(mountDocument),
    Config: configDocument(view),
    NetworkSettings: networkDocument(context, record, state),
  };
}

/** The file that is written to; none for other drivers. */
function logPathOf(record: ContainerRecord, folder: string): string {
  return logLimitsOf(record) ? logFile(folder, logNumbers(folder).at(-1) ?? 1) : "";
}

function stateDocument(state: DerivedState): Readonly<Record<string, unknown>> {
  return {
    Status: shownStatus(state),
    Running: isUp(state),
    Paused: state.paused,
    Restarting: state.status === "restarting",
    OOMKilled: state.oomKilled,
    Dead: state.status === "dead",
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: timeText(state.startedAt),
    FinishedAt: timeText(state.finishedAt),
  };
}

function healthDocument({ health }: ContainerView, folder: string): Readonly<Record<string, unknown>> {
  // The field is there for templates, and not in the document.
  if (health === undefined) return { Health: undefined };
  const log = readHealthResults(folder).map(({ start, end, exitCode, output }) => ({
    Start: timeText(start),
    End: timeText(end),
    ExitCode: exitCode,
    Output: output,
  }));
  return { Health: { Status: health, FailingStreak: readHealthStatus(folder).failingStreak, Log: log } };
}

function configDocument({ record }: ContainerView): Readonly<Record<string, unknown>> {
  const { Healthcheck, StopSignal, StopTimeout, ExposedPorts, ...config }: ContainerConfig = record.config;
  return {
    ...config,
    AttachStdin: config.OpenStdin,
    AttachStdout: true,
    AttachStderr: true,
    StdinOnce: config.OpenStdin,
    Image: record.image,
    Labels: sorted(config.Labels),
    OnBuild: null,
    ...(ExposedPorts ? { ExposedPorts: sorted(ExposedPorts) } : {}),
    ...(Healthcheck === undefined ? {} : { Healthcheck }),
    ...(StopSignal === undefined ? {} : { StopSignal }),
    ...(StopTimeout === undefined ? {} : { StopTimeout }),
  };
}

function hostDocument(record: ContainerRecord): Readonly<Record<string, unknown>> {
  const { host, mounts } = record;
  const { resources, security, namespaces } = host;
  return {
    Binds: listOrNull(mounts.filter(isBound).map(bindText)),
    ContainerIDFile: "",
    ConsoleSize: [0, 0],
    Cgroup: "",
    Isolation: "",
    Links: null,
    VolumeDriver: "",
    VolumesFrom: null,
    DeviceCgroupRules: listOrNull(security.deviceCgroupRules),
    DeviceRequests: deviceRequestDocument(host.deviceRequests),
    MaskedPaths: security.privileged ? null : MASKED_PATHS,
    ReadonlyPaths: security.privileged ? null : READONLY_PATHS,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    LogConfig: logDocument(record),
    NetworkMode: host.network,
    RestartPolicy: restartDocument(host.restart),
    PortBindings: sorted(portBindings(record)),
    PublishAllPorts: record.host.publishAll ?? false,
    AutoRemove: host.autoRemove,
    ...(Object.keys(host.annotations).length === 0 ? {} : { Annotations: host.annotations }),
    CapAdd: listOrNull(security.capAdd),
    CapDrop: listOrNull(security.capDrop),
    CgroupnsMode: namespaces.cgroup ?? "",
    Dns: host.dns,
    DnsOptions: host.dnsOptions,
    DnsSearch: host.dnsSearch,
    ExtraHosts: listOrNull(host.addHosts),
    GroupAdd: listOrNull(security.groupAdd),
    IpcMode: namespaces.ipc ?? "private",
    OomScoreAdj: resources.oomScoreAdjust ?? 0,
    PidMode: namespaces.pid ?? "",
    Privileged: security.privileged,
    ReadonlyRootfs: host.readOnly,
    SecurityOpt: listOrNull(security.securityOptions),
    UTSMode: namespaces.uts ?? "",
    UsernsMode: namespaces.user ?? "",
    ShmSize: resources.shmSize ?? DEFAULT_SHM,
    Sysctls: host.sysctls,
    Runtime: host.runtime ?? "",
    Init: host.init,
    Tmpfs: Object.fromEntries(
      mounts.filter((mount) => mount.type === "tmpfs").map((mount) => [mount.destination, mount.options.join(",")]),
    ),
    Memory: resources.memory ?? 0,
    MemoryReservation: resources.memoryReservation ?? 0,
    MemorySwap: resources.memorySwap ?? (resources.memory ?? 0) * 2,
    NanoCpus: resources.nanoCpus ?? 0,
    CpuShares: resources.cpuShares ?? 0,
    CpuPeriod: resources.cpuPeriod ?? 0,
    CpuQuota: resources.cpuQuota ?? 0,
    CpusetCpus: resources.cpusetCpus ?? "",
    CpusetMems: resources.cpusetMems ?? "",
    PidsLimit: resources.pidsLimit ?? null,
    BlkioWeight: resources.blkioWeight ?? 0,
    BlkioWeightDevice: (resources.blkioWeightDevices ?? []).map(({ path, value }) => ({ Path: path, Weight: value })),
    BlkioDeviceReadBps: deviceRates(resources.deviceReadBps),
    BlkioDeviceReadIOps: deviceRates(resources.deviceReadIops),
    BlkioDeviceWriteBps: deviceRates(resources.deviceWriteBps),
    BlkioDeviceWriteIOps: deviceRates(resources.deviceWriteIops),
    CpuRealtimePeriod: resources.cpuRealtimePeriod ?? 0,
    CpuRealtimeRuntime: resources.cpuRealtimeRuntime ?? 0,
    MemorySwappiness: resources.memorySwappiness ?? null,
    OomKillDisable: resources.oomKillDisable ?? false,
    CgroupParent: host.cgroupParent ?? "",
    Devices: security.devices.map((device) => ({
      PathOnHost: device.source,
      PathInContainer: device.target,
      CgroupPermissions: device.permissions,
    })),
    Ulimits: resources.ulimits.map(({ name, soft, hard }) => ({ Name: name, Hard: hard, Soft: soft })),
  };
}

function deviceRates(values: readonly DeviceValue[] = []): readonly object[] {
  return values.map(({ path, value }) => ({ Path: path, Rate: value }));
}

function restartDocument(policy: HostSettings["restart"]): Readonly<Record<string, unknown>> {
  return { Name: policy?.name || "no", MaximumRetryCount: policy?.maximumRetryCount ?? 0 };
}

function logDocument(record: ContainerRecord): Readonly<Record<string, unknown>> {
  const { driver, options } = logConfigOf(record);
  return { Type: driver, Config: sorted(options) };
}

function mountDocument(mount: MountPoint): Readonly<Record<string, unknown>> {
  return {
    Type: mount.type,
    ...(mount.name === undefined ? {} : { Name: mount.name }),
    Source: sourceShown(mount),
    Destination: mount.destination,
    ...(mount.type === "volume" ? { Driver: "local" } : {}),
    Mode: mount.readOnly ? "ro" : mount.type === "volume" && !mount.anonymous ? "z" : "",
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  };
}

/** Docker names a volume's folder, also when only a part of it is mounted. */
function sourceShown({ source, subpath, type }: MountPoint): string {
  return type === "volume" && subpath !== undefined && source.endsWith(`/${subpath}`)
    ? source.slice(0, -subpath.length - 1)
    : source;
}

/** As `-v` would say it: anonymous volumes and parts of volumes have no such form. */
function isBound({ type, anonymous, subpath }: MountPoint): boolean {
  return type === "bind" || (type === "volume" && anonymous !== true && subpath === undefined);
}

function bindText(mount: MountPoint): string {
  return `${mount.type === "volume" ? (mount.name ?? "") : mount.source}:${mount.destination}${mount.readOnly ? ":ro" : ""}`;
}

/** By key, as Docker prints maps. */
function sorted<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function listOrNull(words: readonly string[]): readonly string[] | null {
  return words.length > 0 ? words : null;
}

function timeText(at: number): string {
  return at > 0 ? new Date(at).toISOString() : NEVER;
}
