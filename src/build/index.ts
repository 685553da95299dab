// SPDX-License-Identifier: Apache-2.0
export { prepareBuild, runBuild } from "./run-build.ts";
export type { BuildPlace, PreparedBuild } from "./run-build.ts";
export type { PlainDockerfile } from "./project-dockerfile.ts";
export { contextKey, findImage, readImage } from "./resolver.ts";
export type { ImagePuller } from "./resolver.ts";
/** What the files of a folder say; undefined when it is no project. Throws what `readProject` throws. */
export { checkTargetsOfImage, tellTargets } from "./gpu-targets.ts";
export { projectIn } from "./project-build.ts";
export { lockProject } from "./project-lock.ts";
export type { LockRequest, LockResult, LockedVersion } from "./lock-types.ts";
export { BuiltSteps } from "./built-steps.ts";
export { ImportedCaches } from "./imported-caches.ts";
export { RemoteBuild } from "./remote-build.ts";
export type { RemoteBase, RemoteBuildOptions } from "./remote-build.ts";
export type { ResolvedImage } from "./types.ts";
export type {
  AttestationRequest,
  BuildRequest,
  BuildResult,
  BuiltImage,
  OutputSpec,
  ProjectDecision,
  SecretSource,
} from "./request.ts";
