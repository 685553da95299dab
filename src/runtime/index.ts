// SPDX-License-Identifier: Apache-2.0
export { buildProcess, buildSpec } from "./spec.ts";
export type { NamespaceChoice, ProcessInput, SecurityInput, SpecInput } from "./spec.ts";
export type { OciProcess, OciSeccomp, OciSpec } from "./spec-types.ts";
export type { ExtraMount } from "./spec-mounts.ts";
export type { DeviceGrant, ResourceLimits } from "./spec-limits.ts";
export { DEFAULT_CAPABILITIES, resolveCapabilities } from "./capabilities.ts";
export type { CapabilityChange } from "./capabilities.ts";
export { defaultSeccomp, resolveSeccomp } from "./seccomp.ts";
export type { SeccompArch } from "./seccomp.ts";
export { cgroupMode } from "./cgroup.ts";
export type { CgroupMode } from "./cgroup.ts";
export { findRuntime } from "./find.ts";
export type { FindRuntimeOptions, OciRuntime } from "./find.ts";
export type { OverlayMount } from "./overlay.ts";
export type { ContainerTask } from "./task.ts";
export { runForeground } from "./foreground.ts";
export type { ForegroundResult, ForegroundStdio, ForegroundTask } from "./foreground.ts";
export { cleanupContainer } from "./cleanup.ts";
