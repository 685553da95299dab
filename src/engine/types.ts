// SPDX-License-Identifier: Apache-2.0
export type {
  BuildRequest,
  BuildResult,
  BuiltImage,
  OutputSpec,
  PlainDockerfile,
  ProjectDecision,
  SecretSource,
} from "../build/index.ts";
