// SPDX-License-Identifier: Apache-2.0
export { parseCsvFields, parseCsvRecord } from "./csv.ts";
export type { CsvField } from "./csv.ts";
export { mergeEnv, parseEnv, parseEnvFile, parseKeyValueFile } from "./env.ts";
export type { Environment } from "./env.ts";
export { parseLabel, parseLabels } from "./labels.ts";
export { applyCapabilities, effectiveCapabilities, normalizeCapability } from "./capabilities.ts";
export type { CapabilityChange } from "./capabilities.ts";
export { parseBytes, parseCpus, parseMemorySwap } from "./sizes.ts";
export { parseUlimit, parseUlimits } from "./ulimits.ts";
export type { Ulimit } from "./ulimits.ts";
export { isCdiName, parseDevice, parseThrottleBps, parseThrottleIops, parseWeightDevice } from "./devices.ts";
export type { DeviceMapping, DeviceOption, ThrottleDevice, WeightDevice } from "./devices.ts";
export { parseGpus } from "./gpus.ts";
export type { GpuRequest } from "./gpus.ts";
export { parseComposeDevices, parseComposeGpus } from "./compose-gpus.ts";
export { parseMount } from "./mount.ts";
export type { BindOptions, Mount, MountType, Propagation, TmpfsOptions, VolumeOptions } from "./mount.ts";
export { checkVolumeName, parseTmpfs, parseVolume } from "./volume.ts";
export {
  parseDnsSearch,
  parseExtraHost,
  parseHostname,
  parseIpAddress,
  parseLink,
  parseMacAddress,
} from "./addresses.ts";
export type { ExtraHost, Link } from "./addresses.ts";
export { isUserDefined, parseNetwork, resolveNetworks } from "./network.ts";
export type { NetworkAttachment, NetworkFlags, NetworkSelection } from "./network.ts";
export { parseExpose, parsePublish, parseServicePort, toShortNotation } from "./ports.ts";
export type { ExposedPort, PortBinding, PortProtocol, PortRange, ServicePort } from "./ports.ts";
export { checkRestartPolicy, parseRestartPolicy } from "./restart.ts";
export type { RestartPolicy } from "./restart.ts";
export { parseSecurityOptions, parseSystemPaths } from "./security.ts";
export type { SecurityOptions, SystemPaths } from "./security.ts";
export { parseNamespaceMode } from "./modes.ts";
export { parseUserNamespace } from "./userns.ts";
export type { UserNamespaceMode } from "./userns.ts";
export type { NamespaceFlag, NamespaceMode } from "./modes.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { isForwardedSignal, parseSignal, signalName } from "./signals.ts";
export { DEFAULT_HOST, parseDaemonHost, parseHost, parseTcpAddress } from "./host.ts";
export { parseUser } from "./user.ts";
export type { Principal, UserSpec } from "./user.ts";
export { parseImagePlace } from "./image-place.ts";
export type { ImagePlace } from "./image-place.ts";
export { parseCopy, splitCopyPath } from "./copy-path.ts";
export type { CopyDirection, CopyPath } from "./copy-path.ts";
export {
  parseBuildArg,
  parseBuildContext,
  parseBuildSecret,
  parseBuildSsh,
  parseOutput,
  parsePlatforms,
} from "./build-options.ts";
export type { BuildOutput, BuildSecret, BuildSsh, OutputType, SecretSource } from "./build-options.ts";
export { parseCacheFrom, parseCacheTo } from "./cache-options.ts";
export type { CacheExport, CacheForm, CacheImport } from "./cache-options.ts";
export {
  parseAttach,
  parseDetachKeys,
  parsePidsLimit,
  parsePullPolicy,
  parseSysctl,
  resolveAttach,
} from "./run-options.ts";
export type { AttachFlags, AttachedStreams, PullPolicy } from "./run-options.ts";
export { expandTag, logLimits, parseLogConfig, parseLogDriver } from "./log.ts";
export type { LogConfig, LogDriver, LogLimits, TagFields } from "./log.ts";
export { parseServiceFile } from "./service-file.ts";
export type { ServiceFile } from "./service-file.ts";
