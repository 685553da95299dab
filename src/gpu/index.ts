// SPDX-License-Identifier: Apache-2.0
export { areNeedsKnown, needsOfImage } from "./needs/image.ts";
export { needsOfWheels } from "./needs/wheels.ts";
export type { GpuWheel, NeedsOptions, NeedsSubject, ReadFile } from "./needs/types.ts";
export { describeHost, gpuStates } from "./usage/describe-host.ts";
export { openGpuSampler } from "./usage/sampler.ts";
export type { GpuSampler, GpuUse } from "./usage/sampler.ts";
export type { GpuProcess, GpuState, HostGpuStates } from "./usage/types.ts";
export { discoverGpus } from "./host/discover.ts";
export { generateSpecs } from "./generate/generate.ts";
export type { DeviceNaming, GenerateOptions, GeneratedSpecs } from "./generate/options.ts";
export { specText } from "./generate/print.ts";
export { DRIVER_CAPABILITIES } from "./generate/capabilities.ts";
export type { DriverCapability } from "./generate/capabilities.ts";
export type { HostPlace } from "./host/roots.ts";
/** The check of images and hosts; pure but for `readHostState`. */
export { checkImage, checkTarget } from "./check/check-image.ts";
export { checkGpuHost } from "./check/check-host.ts";
export { readHostState } from "./check/host-state.ts";
export type { HostState, HostStateOptions } from "./check/host-state.ts";
export { describeTarget } from "./check/describe-target.ts";
/** Descriptions of machines: see each for its errors. */
export { isTargetText, parseGpuTarget } from "./check/target.ts";
export { targetsOfHost } from "./check/target-of-host.ts";
/** Throws `E_ACCELERATOR`. */
export { automaticBuild } from "./check/automatic-build.ts";
export type {
  CdiDevice,
  CdiDeviceNode,
  CdiEdits,
  CdiHook,
  CdiIntelRdt,
  CdiMount,
  CdiSpec,
  GpuFinding,
  GpuKernels,
  GpuPackage,
  GpuTarget,
  GpuVendor,
  HostDriver,
  HostGpu,
  HostGpus,
  ImageNeeds,
  MigPart,
} from "./types.ts";
/** From requests to names of CDI devices: see each for its errors. */
export { resolveGpuRequests } from "./requests/resolve.ts";
export type { GpuInventory } from "./requests/inventory.ts";
export { askedCapabilities } from "./requests/drivers.ts";
export { driverCapabilities, imageAsksFor, requestOfEnvironment } from "./requests/environment.ts";
export { findDevices } from "./requests/host-devices.ts";
export type { FoundDevices, WantedDevices } from "./requests/host-devices.ts";
export { openHostDevices } from "./requests/host-registry.ts";
export type { DevicePlaces, HostDevices, RegistryOptions } from "./requests/host-registry.ts";
export { loadCdi } from "./cdi/registry.ts";
export type { CdiProblem, CdiRegistry, CdiResolution, CdiSources, RegisteredDevice } from "./cdi/registry.ts";
export { withCompat } from "./cdi/compat.ts";
export { applyEdits } from "./cdi/apply-edits.ts";
export type { ApplyOptions } from "./cdi/apply-edits.ts";
export { devicesForBuild, isAutoAllowed } from "./cdi/build-devices.ts";
export { giveDevices } from "./cdi/give-devices.ts";
export type { GiveOptions } from "./cdi/give-devices.ts";
export { checkHostFiles, missingFiles, staleNodes } from "./cdi/check-host.ts";
export type { HostCheckOptions } from "./cdi/check-host.ts";
export { checkSpec } from "./cdi/check-spec.ts";
export type { CdiHost, HostNode } from "./cdi/host-node.ts";
/** Compatibility data: parsed strictly, loaded when asked for; every query can say that it does not know. */
export { compareDotted, isDottedVersion, majorOf, minorOf } from "./versions.ts";
export { parseGpuData } from "./data/parse.ts";
export { shippedGpuData } from "./data/load.ts";
export { cudaOfDriver, compatDrivers, driverBranch, minimumDriver, runsOn } from "./data/drivers.ts";
export type { CudaOfDriver, MinimumDriver, RunsOn, RunsOnOptions } from "./data/drivers.ts";
export { architectureOf, driverSupports, gpuOfPciDevice, gpuSupportedBy } from "./data/capabilities.ts";
export { frameworkBuild, frameworkBuilds, frameworkReleases, kernelsFor } from "./data/frameworks.ts";
export type { FrameworkBuild } from "./data/frameworks.ts";
/** The data in use and its ways in and out: files and OCI artifacts. */
export { currentGpuData, gpuDataMark, resetGpuData, updateGpuData } from "./data/current.ts";
export type { CurrentGpuData, GpuDataChange } from "./data/current.ts";
export { fetchGpuData, pushGpuData } from "./data/artifact.ts";
export type { GpuDataPlace } from "./data/artifact.ts";
export { formatGpuData } from "./data/format.ts";
export { lookUpGpuFacts } from "./data/look-up.ts";
export type { GpuFacts } from "./data/look-up.ts";
export { howKernelsRun } from "./data/kernels.ts";
export type { KnownKernels } from "./data/kernels.ts";
export { suitableBuilds } from "./data/suitable.ts";
export type { BuildWish, SuitableBuild } from "./data/suitable.ts";
export type { Answer, GpuData, Verdict } from "./data/types.ts";
/** `NVIDIA_REQUIRE_*` of an image, as findings. */
export { checkRequirements } from "./require/check.ts";
export type { RequireMachine } from "./require/check.ts";
