// SPDX-License-Identifier: Apache-2.0
export { buildProcess, buildSpec } from "./spec.ts";
export type { NamespaceChoice, ProcessInput, SecurityInput, SpecInput } from "./spec.ts";
export type { OciProcess, OciSeccomp, OciSpec } from "./spec-types.ts";
export type { SpecMount } from "./spec-mounts.ts";
export type { BlockDeviceLimit, DeviceGrant, ResourceLimits } from "./spec-limits.ts";
export { DEFAULT_CAPABILITIES, resolveCapabilities } from "./capabilities.ts";
export type { CapabilityChange } from "./capabilities.ts";
export { defaultSeccomp, resolveSeccomp } from "./seccomp.ts";
export type { SeccompArch } from "./seccomp.ts";
export { cgroupMode } from "./cgroup.ts";
export type { CgroupMode } from "./cgroup.ts";
export { cgroupFolders, cgroupProcesses, cgroupUsage } from "./cgroup-usage.ts";
export type { CgroupFolders, CgroupUsage } from "./cgroup-usage.ts";
export { hasLimit, provideRealtime } from "./limit-support.ts";
export type { OptionalLimit } from "./limit-support.ts";
export { resourceSpec } from "./spec-limits.ts";
export { openPrivateRoot } from "./private-root.ts";
export type { PrivateMount, RootDirectory } from "./private-root.ts";
export { findRuntime } from "./find.ts";
export type { FindRuntimeOptions, OciRuntime } from "./find.ts";
export type { OverlayMount, SubpathMount } from "./overlay.ts";
export type { ContainerTask } from "./task.ts";
export { runForeground } from "./foreground.ts";
export type { ForegroundResult, ForegroundTask } from "./foreground.ts";
export type { ForegroundStdio } from "./output.ts";
export { startDetached } from "./detached.ts";
export type { DetachedLog, DetachedResult, DetachedTask } from "./detached.ts";
export { attachTo, resizeTerminal } from "./attach.ts";
export type { Attachment } from "./attach.ts";
export { execInContainer } from "./exec.ts";
export { execCommand } from "./exec-command.ts";
export { attachTree, detachTree } from "./attach-tree.ts";
export type { ExecTask } from "./exec.ts";
export {
  containerProcesses,
  containerState,
  deleteContainer,
  killContainer,
  pauseContainer,
  resumeContainer,
  updateResources,
} from "./control.ts";
export type { ContainerHandle, ContainerState } from "./control.ts";
export { findInit, hostCapabilities, hostDevices, hostMaskedPaths, readDevices } from "./host.ts";
export { swapped } from "./keep-id.ts";
export { namespaceLimits } from "./namespace-limits.ts";
export { processInNamespace } from "./spec-namespace.ts";
export type { NamespaceLimits } from "./spec-namespace.ts";
export { cleanupContainer } from "./cleanup.ts";
export { lookupUser } from "./users.ts";
export type { ReadImageFile, ResolvedUser } from "./users.ts";
export { MASKED_PATHS, READONLY_PATHS } from "./spec-paths.ts";
export { checkRootfs } from "./rootfs-check.ts";
export type { EntryKind } from "./rootfs-check.ts";
export { etcFilesIn, prepareEtcFiles } from "./etc-files.ts";
export type { EtcFilesInput } from "./etc-files.ts";
