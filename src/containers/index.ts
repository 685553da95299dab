// SPDX-License-Identifier: Apache-2.0
export { containerContext } from "./open.ts";
export type { ContainerContextOptions } from "./open.ts";
export type { ContainersContext } from "./context.ts";
export type {
  ContainerMount,
  CreateRequest,
  DeviceRequest,
  DeviceValue,
  ExecRequest,
  NamespaceRequest,
  NetworkRequest,
  ProcessIo,
  ResourceRequest,
  RunResult,
  SecurityRequest,
  Terminal,
} from "./request.ts";
export type { ContainerImage, ContainerRecord, DerivedState, ImageDefaults, MountPoint } from "./types.ts";
export { attachContainer, createContainer, restartContainerDue, runContainer, startContainer } from "./run.ts";
export { noteBoot, startContainersAtBoot, stopContainersForShutdown } from "./boot.ts";
export type { BootReport } from "./boot.ts";
export { setRestartPolicy } from "./restart.ts";
export { recordHealth } from "./health.ts";
export { ownMountNamespace } from "./restarter.ts";
export { debugContainer } from "./debug-session.ts";
export type { DebugRequest, DebugToolbox } from "./debug-spec.ts";
export { plannedProcess } from "./planned-process.ts";
export type { PlannedProcess } from "./planned-process.ts";
export { parseMoment } from "./filters.ts";
export { execInContainer, pauseContainer, renameContainer, unpauseContainer } from "./exec.ts";
export { killContainer, restartContainer, stopContainer, waitContainer } from "./stop.ts";
export type { StopOptions } from "./stop.ts";
export { prunableContainers, pruneContainers, removeContainer } from "./remove.ts";
export type { PrunedContainer } from "./remove.ts";
export { containerNames, listContainers } from "./list.ts";
export type { ContainerListRequest, ContainerSummary } from "./list.ts";
export { inspectContainer } from "./inspect.ts";
export { containerSecurity, imageSecurity } from "./security.ts";
export type { SecurityReport, SharedPath } from "./security-report.ts";
export type { SecurityFinding } from "./security-findings.ts";
export { containerLogDetails, containerLogs } from "./logs/logs.ts";
export type { LogOptions } from "./logs/reader.ts";
export type { LogRecord } from "./logs/format.ts";
export { recordContainerEvent } from "./events.ts";
export { containerChanges } from "./changes.ts";
export type { ContainerChange } from "./changes.ts";
export { containerProcesses } from "./top.ts";
export type { ContainerProcesses } from "./top.ts";
export { copyFromContainer, copyToContainer } from "./copy-files.ts";
export { commitContainer } from "./commit.ts";
export { updateContainer } from "./update.ts";
export type { LimitChanges } from "./update.ts";
export { ownersOfProcesses } from "./process-owners.ts";
export type { ProcessOwner } from "./process-owners.ts";
export { hostGpuUsage } from "./gpu-usage.ts";
export { containerStats } from "./stats.ts";
export type { ContainerStats, StatsRequest } from "./stats.ts";
export { exportContainer } from "./export.ts";
export { DEFAULT_NETWORK, usesHostNetwork } from "./network-settings.ts";
export { connectContainer, disconnectContainer, sweepNetworks } from "./connect.ts";
export type { ConnectOptions } from "./connect.ts";
export { containerPorts, joinedNetworks } from "./network-document.ts";
export { cleanupContainer, recoverContainers, removeOrphans } from "./recover.ts";
export type { RecoveryReport } from "./recover.ts";
export { findVolumes, pruneVolumes, volumeSize, volumeUsage } from "./volume-list.ts";
export type { PrunedVolume, VolumeUsage, VolumeView } from "./volume-list.ts";
export { volumeUsers } from "./volumes.ts";
export { runningVolumeUsers, whilePaused } from "./pause-hold.ts";
