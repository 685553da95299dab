// SPDX-License-Identifier: Apache-2.0
export { Engine, openEngine } from "./open.ts";
export type {
  BaseRequest,
  BaseResult,
  BasesApi,
  BuildFinding,
  BuildPlan,
  ByteSink,
  ByteSource,
  EngineOptions,
  Filters,
  FsckFinding,
  HistoryEntry,
  HostCheck,
  ImageSummary,
  ImagesApi,
  ImportRequest,
  InspectDocument,
  InstallPlan,
  LoadRequest,
  LongCall,
  OpenEngine,
  PlanRequest,
  RemovalReport,
  SaveRequest,
  SystemApi,
  SystemPruneReport,
  SystemPruneRequest,
  UsageRow,
} from "./facade.ts";
export type {
  ContainerListRequest,
  ContainerChange,
  ContainerMount,
  ContainerProcesses,
  ContainerStats,
  ContainerState,
  ContainerSummary,
  ContainersApi,
  CommitRequest,
  CopyFilesRequest,
  CreateRequest,
  DeviceRequest,
  DeviceValue,
  ExecRequest,
  LimitChanges,
  LogRecord,
  LogsRequest,
  NamespaceRequest,
  NetworkRequest,
  ProcessIo,
  PrunedContainer,
  PublishedAt,
  ResourceRequest,
  RunResult,
  SecurityFinding,
  SecurityReport,
  SecurityRequest,
  StatsRequest,
  Terminal,
} from "./facade-containers.ts";
export type { EventsRequest, StoreEvent } from "./facade-events.ts";
export type { ConnectOptions, NetworkCreateRequest, NetworkSummary, NetworksApi } from "./facade-networks.ts";
export type { CdiDeviceSummary, CdiListing, CdiProblemReport } from "./facade-gpu-devices.ts";
export type {
  GpuCheckRequest,
  GpuFinding,
  GpuList,
  GpuNeedsRequest,
  GpuPackage,
  GpuPartSummary,
  GpuSummary,
  GpuTargetReport,
  GpuUser,
  GpusApi,
  ImageNeeds,
} from "./facade-gpu.ts";
export type {
  DeviceNaming,
  DriverCapability,
  GenerateCdiRequest,
  GeneratedCdi,
  GeneratedCdiList,
} from "./facade-gpu-cdi.ts";
export type { LockChange, LockRequest, LockResult, LockedVersion, LocksApi } from "./facade-lock.ts";
export type {
  BuiltWheel,
  PullWheelsRequest,
  PulledWheelSet,
  PushedWheelSet,
  ShareWheelsRequest,
  StoredWheel,
  WheelsApi,
} from "./facade-wheels.ts";
export type {
  AttachedDocument,
  SbomRequest,
  SignRequest,
  SignedManifest,
  TrustApi,
  VerifyRequest,
  VerifyResult,
} from "./facade-trust.ts";
export type { BootApi, BootReport, BootService } from "./facade-boot.ts";
export type {
  DebugOptions,
  DebugPlan,
  DebugShellRequest,
  DevelopApi,
  LaunchEntry,
  NotebookOptions,
  NotebookPlan,
  WatchEvent,
  WatchOptions,
} from "./facade-develop.ts";
export type { BundleApi, BundleReport, BundleRequest, LoadBundleRequest } from "./facade-bundle.ts";
export type {
  InspectedManifest,
  ManifestDescriptor,
  ManifestRequest,
  SearchRequest,
  SearchResult,
} from "./facade-search.ts";
export type { CopyRequest, CopyResult } from "./facade-copy.ts";
export type {
  LoginRequest,
  LoginResult,
  PullRequest,
  PulledTag,
  PushRequest,
  PushedTag,
  RegistryApi,
} from "./facade-registry.ts";
export type {
  DeadWeight,
  DirectorySize,
  DistributionSize,
  Duplicate,
  HiddenBytes,
  ImageSize,
  LayerSize,
  OwnedBytes,
  OwnerKind,
  PackageSize,
  SharedObject,
  SizeApi,
} from "./facade-size.ts";
export type { BuildRequest, BuildResult, BuiltImage, OutputSpec, SecretSource } from "./types.ts";
export type { BuildEvent, BuildListener } from "../solver/index.ts";
export type {
  BackupVolumeRequest,
  CloneVolumeRequest,
  CreateVolumeRequest,
  PullVolumeRequest,
  PulledVolume,
  PushVolumeRequest,
  PushedVolume,
  RestoreVolumeRequest,
  VerifiedBackup,
  VolumeBackup,
  VolumePruneReport,
  VolumeSummary,
  VolumesApi,
} from "./facade-volumes.ts";
export type {
  FrameworkBuild,
  GpuDataApi,
  GpuDataChanged,
  GpuDataPushRequest,
  GpuDataSummary,
  GpuDataUpdateRequest,
  GpuFacts,
} from "./facade-gpu-data.ts";
