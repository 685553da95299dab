// SPDX-License-Identifier: Apache-2.0
/* Which variables of an image are requirements. */
import { isDottedVersion, minorOf } from "../versions.ts";

/** A requirement and where it is from. */
export interface Requirement {
  /** `NVIDIA_REQUIRE_CUDA`, or `CUDA_VERSION` of an image from before those variables. */
  readonly variable: string;
  readonly expression: string;
}

const PREFIX = "NVIDIA_REQUIRE_";
/** Requirements of Jetson boards' software, which are of another language. */
const OTHER_PREFIX = "NVIDIA_REQUIRE_JETPACK";

/**
 * The requirements of an image, all of which must hold. An image with `CUDA_VERSION` and without `NVIDIA_REQUIRE_CUDA`
 * is from before that variable, and needs that CUDA.
 */
export function requirementsOf(env: Readonly<Record<string, string>>): readonly Requirement[] {
  const named = Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !name.startsWith(OTHER_PREFIX))
    .toSorted()
    .map((variable) => ({ variable, expression: env[variable] ?? "" }));
  const legacy = legacyCuda(env);
  return legacy === undefined ? named : [...named, { variable: "CUDA_VERSION", expression: `cuda>=${legacy}` }];
}

function legacyCuda(env: Readonly<Record<string, string>>): string | undefined {
  const version = env["CUDA_VERSION"] ?? "";
  if (version === "" || (env["NVIDIA_REQUIRE_CUDA"] ?? "") !== "") return undefined;
  return isDottedVersion(version) ? minorOf(version) : version;
}

/** True when `NVIDIA_DISABLE_REQUIRE` says that nothing is to be checked. */
export function isRequireDisabled(env: Readonly<Record<string, string>>): boolean {
  return ["1", "t", "T", "TRUE", "true", "True"].includes(env["NVIDIA_DISABLE_REQUIRE"] ?? "");
}
