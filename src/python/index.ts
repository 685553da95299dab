// SPDX-License-Identifier: Apache-2.0
export type {
  Bytecode,
  DirectUrl,
  DistributionFile,
  FetchOptions,
  InstallScheme,
  LibC,
  PythonTarget,
  StoredFile,
  WheelRef,
  WheelStore,
} from "./types.ts";
export { openWheelStore } from "./wheels/wheel-store.ts";
export type { WheelStoreOptions } from "./wheels/wheel-store.ts";
export { forgetWheel, storedWheels } from "./wheels/stored-wheels.ts";
export type { StoredWheel } from "./wheels/stored-wheels.ts";
export { checkWheel, knownResolutions, originOf, resolverWheel } from "./wheels/known-files.ts";
export type { KnownResolutions } from "./wheels/known-files.ts";
export { builtWheelKey, builtWheels } from "./wheels/built-wheels.ts";
export type { BuildInput, BuiltWheel } from "./wheels/built-wheels.ts";
export { inPlaceWheel } from "./wheels/in-place-wheel.ts";
export type { InPlacePackage } from "./wheels/in-place-wheel.ts";
export { normalizeName } from "./requirements/names.ts";
export { compareVersions, normalizeVersion } from "./requirements/versions.ts";
export { matchesSpecifier, parseSpecifier } from "./requirements/specifiers.ts";
export { formatMarker, parseMarker } from "./requirements/markers.ts";
export { evaluateMarker, markerEnvironment } from "./requirements/marker-evaluation.ts";
export { formatRequirement, parseRequirement } from "./requirements/requirement.ts";
export { readRequirements } from "./requirements/requirements-file.ts";
export { readPyproject } from "./requirements/pyproject.ts";
export { redactUrls } from "./requirements/redact.ts";
export type {
  BuildSystemTable,
  Marker,
  MarkerEnvironment,
  MarkerOperand,
  MarkerOperator,
  MarkerVariable,
  PlacedRequirement,
  PoetryDependency,
  PoetryGroup,
  PoetryTable,
  ProjectTable,
  PyprojectFile,
  RemoteInclude,
  Requirement,
  RequirementLine,
  RequirementOptions,
  RequirementsFile,
  RequirementsOptions,
  RequirementsReader,
  RequirementsWarning,
  SourceLine,
  SpecifierClause,
  SpecifierOptions,
  UvIndex,
  UvTable,
  VcsReference,
} from "./requirements/types.ts";
export { COMPILE_PY } from "./install/bytecode.ts";
export { compileJob, findPack, packKey, packsAmong, storePack, takePack } from "./install/bytecode-pack.ts";
export type { BytecodePack, CompileJob, KeyedPack, PackRequest } from "./install/bytecode-pack.ts";
export {
  expectWheelLayers,
  installWheels,
  makeWheelLayer,
  measureWheelLayer,
  spliceWheelLayer,
} from "./install/install-wheels.ts";
export type { Installed } from "./install/install-wheels.ts";
export { noteWheelLayer, openLayerSource, wheelLayer, wheelsOfLayer } from "./install/layer-source.ts";
export type { LayerSource, WheelLayer } from "./install/layer-source.ts";
export { parseWheelLayer } from "./install/wheel-layer-parser.ts";
export type { KeyedWheelLayer } from "./install/wheel-layer-parser.ts";
export {
  knownLayer,
  noteClaim,
  parseLayerFact,
  proveLayer,
  readLayerFacts,
  writeLayerFacts,
} from "./install/layer-facts.ts";
export type { KnownLayer, LayerClaim, WheelLayerFacts } from "./install/layer-facts.ts";
export { deferredLayers, unpackDeferred } from "./install/unpack-deferred.ts";
export { planLayers } from "./install/layers.ts";
export type { LayerBudget } from "./install/layers.ts";
export { parseRecord } from "./install/record.ts";
export type { RecordRow } from "./install/record.ts";
export { SLIM_RULES, chooseSlim, findCompiler } from "./install/slim.ts";
export type { CompilerFacts, SlimChoice, SlimRule } from "./install/slim.ts";
export { leftOutOf, sumLeftOut } from "./install/slim-report.ts";
export type { LeftOut } from "./install/slim-report.ts";
export { pathsOfWheel } from "./install/layer-files.ts";
export type { InstallSettings, WheelToInstall } from "./install/layer-files.ts";
export { isLockName, readLock } from "./locks/read-lock.ts";
export { describe as describeTarget, selectFromLock } from "./locks/select.ts";
export type { Selection } from "./locks/select.ts";
export type { Lock, LockedPackage, LockedSource, SelectedPackage } from "./locks/types.ts";
export { findBaseFacts, knownBase, noteBase, parseBaseFacts, parseNotedBases } from "./target/base-facts.ts";
export type { BaseFacts, NotedBase } from "./target/base-facts.ts";
export { findInterpreter, installedDistributions } from "./target/interpreter.ts";
export type { ImageFacts, InstalledDistribution } from "./target/interpreter.ts";
export { specialFolder, withLinks } from "./target/scheme-folders.ts";
export { WheelChooser, machineOf, parseWheelName, supportedTags } from "./target/tags.ts";
export type { WheelName } from "./target/tags.ts";
export { statedTarget } from "./target/stated-target.ts";
export type { StatedPython } from "./target/stated-target.ts";
export { chooseAccelerator, gpuPackagesError, isGpuPackage } from "./lock/accelerator.ts";
export { directRequirements, inputsDigest } from "./lock/inputs-digest.ts";
export type { LockInputs } from "./lock/inputs-digest.ts";
export { lockChanges } from "./lock/lock-changes.ts";
export type { LockChange } from "./lock/lock-changes.ts";
export { stampLock, stampOf } from "./lock/lock-stamp.ts";
export type { LockStamp } from "./lock/lock-stamp.ts";
export { keyOf as resolutionKey, resolve } from "./lock/resolve.ts";
export type { IsolatedUv, Resolution, ResolveRequest } from "./lock/types.ts";
export { explainFailure } from "./lock/explain.ts";
export { projectIndexUrls } from "./index-client/project-urls.ts";
export { UV_VERSION, ensureUv } from "./lock/uv.ts";
export type { UvPlace } from "./lock/uv.ts";
export { readIndexConfig } from "./index-client/config.ts";
export type { IndexConfig } from "./index-client/config.ts";
