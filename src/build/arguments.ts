// SPDX-License-Identifier: Apache-2.0
import { formatPlatform } from "../oci/index.ts";
import { Expander, atInstruction } from "./expand.ts";
import type { Platform } from "../oci/index.ts";
import type { Compilation } from "./types.ts";

/** Proxy settings may be given without an ARG and are in no history (Dockerfile reference, "Predefined ARGs"). */
const PROXY_NAMES = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** The variables that FROM may use: the platform ARGs and the ARGs before the first FROM, in order. */
export async function globalArguments(
  compilation: Compilation,
  targetName: string,
): Promise<ReadonlyMap<string, string>> {
  const { dockerfile, options } = compilation;
  const values = platformArguments(options.platform, options.buildPlatform, targetName);
  for (const [name, value] of Object.entries(options.buildArgs)) if (values.has(name)) values.set(name, value);
  for (const instruction of dockerfile.metaArgs) {
    await atInstruction(dockerfile, instruction, () => {
      for (const { key, value } of instruction.definitions) {
        const given =
          options.buildArgs[key] ?? (value === undefined ? undefined : new Expander(dockerfile, values).word(value));
        if (given !== undefined) values.set(key, given);
      }
    });
  }
  return values;
}

/** "Automatic platform ARGs in the global scope" of the Dockerfile reference. */
function platformArguments(target: Platform, build: Platform, targetName: string): Map<string, string> {
  return new Map([
    ...platformVariables("BUILD", build),
    ...platformVariables("TARGET", target),
    ["TARGETSTAGE", targetName],
  ]);
}

function platformVariables(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform["os.version"] ?? ""],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
}

/** Proxy settings among the build arguments, as environment entries in capital and in small letters. */
export function proxyEnvironment(buildArgs: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(buildArgs)
    .filter(([name]) => PROXY_NAMES.includes(name.toUpperCase()))
    .flatMap(([name, value]) => [`${name.toUpperCase()}=${value}`, `${name.toLowerCase()}=${value}`]);
}
