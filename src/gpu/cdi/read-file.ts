// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parseJson } from "../../oci/index.ts";
import type { CdiEdits, CdiMount, CdiSpec } from "../types.ts";
import { checkSpec } from "./check-spec.ts";
import { specError } from "./fields.ts";
import { readSpec } from "./parse-spec.ts";

/** Reads one file strictly. Throws `E_CDI_SPEC`, `E_MANIFEST` for what is not JSON, and what reading a file throws. */
export async function readSpecFile(path: string): Promise<CdiSpec> {
  return await parseSpec(readFileSync(path, "utf8"), extname(path) === ".json" ? "json" : "yaml");
}

/** Parses a specification (the library for YAML is loaded when there is some) and checks the standard's rules, and that its mounts can be made. Throws `E_CDI_SPEC`. */
export async function parseSpec(text: string, format: "json" | "yaml"): Promise<CdiSpec> {
  const value =
    format === "json" ? parseJson(text, "the specification") : (await import("./yaml-text.ts")).parseYaml(text);
  const spec = readSpec(value);
  checkSpec(spec);
  for (const edits of [spec.containerEdits ?? {}, ...spec.devices.map((device) => device.containerEdits)]) {
    checkMounts(edits);
  }
  return spec;
}

/**
 * A mount without `bind` reaches the runtimes as it is, whatever its type says of binding, and they fail with words that
 * help nobody (`invalid mount type`, `no such device`).
 */
function checkMounts({ mounts }: CdiEdits): void {
  for (const mount of mounts ?? []) {
    if (isMountable(mount)) continue;
    throw specError(
      `mount of \`${mount.hostPath}\` at \`${mount.containerPath}\``,
      "its options have neither `bind` nor `rbind`, and it has no type of a file system: no runtime can make it",
    );
  }
}

function isMountable(mount: CdiMount): boolean {
  return hasBindOption(mount) || !["", "none", "bind"].includes(mount.type ?? "");
}

/** True for a mount whose hostPath is a file or folder of the host. */
export function isBind(mount: CdiMount): boolean {
  return mount.type === "bind" || hasBindOption(mount);
}

function hasBindOption({ options }: CdiMount): boolean {
  return (options ?? []).some((word) => word === "bind" || word === "rbind");
}
